//! Searches whose shape depends on the filter. Everything else is fixed text.

use super::{Connection, DbError, Row, Value};

/// The longest list that a search takes; both engines take more parameters than this.
pub(crate) const LIST_MAX: usize = 8192;

/// A query that grows clause by clause; every value becomes a parameter.
pub(crate) struct Query {
    sql: String,
    params: Vec<Value<'static>>,
    conditions: usize,
}

impl Query {
    pub(crate) fn new(select: &str) -> Self {
        Self { sql: select.into(), params: Vec::new(), conditions: 0 }
    }

    /// Adds text that holds no value.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    pub(crate) fn bind(&mut self, value: impl Into<Value<'static>>) -> &mut Self {
        self.params.push(value.into());
        self.sql.push('$');
        self.sql.push_str(&self.params.len().to_string());
        self
    }

    /// Starts a condition: `WHERE` the first time, `AND` afterwards.
    pub(crate) fn and(&mut self, text: &str) -> &mut Self {
        self.push(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
        self.push(text)
    }

    /// `($1, $2, …)`. The list is padded with its last value to a power of two, so that few shapes of
    /// statement exist; an empty list matches nothing.
    pub(crate) fn list(
        &mut self,
        values: impl IntoIterator<Item = Value<'static>>,
    ) -> Result<&mut Self, DbError> {
        let mut values: Vec<Value<'static>> = values.into_iter().collect();
        if values.len() > LIST_MAX || self.params.len() + values.len() > 2 * LIST_MAX {
            return Err(DbError::Full);
        }
        let padded = values.len().next_power_of_two();
        let last = values.last().cloned().unwrap_or(Value::Null);
        values.resize(padded, last);
        self.push("(");
        for (n, value) in values.into_iter().enumerate() {
            if n > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        Ok(self.push(")"))
    }

    pub(crate) async fn rows(&self, connection: &mut dyn Connection) -> Result<Vec<Row>, DbError> {
        connection.query(&self.sql, &self.params).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_numbers_its_values_in_the_order_of_the_text() {
        let mut query = Query::new("SELECT a FROM t");
        query.and("b = ").bind(1);
        query.and("c IN ").list([1, 2, 3].map(Value::Int)).unwrap();
        query.push(" LIMIT ").bind(9);
        assert_eq!(query.sql, "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3, $4, $5) LIMIT $6");
        assert_eq!(query.params, [1, 1, 2, 3, 3, 9].map(Value::Int));
    }

    #[test]
    fn a_list_over_the_bound_is_refused() {
        let values = std::iter::repeat_n(Value::Int(1), LIST_MAX + 1);
        assert!(matches!(Query::new("").list(values), Err(DbError::Full)));
    }
}
