//! Ids in addresses and bodies: only the canonical spelling, so that one thing has one address.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub(crate) struct Id(pub Uuid);

impl Id {
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().filter(|id| id.to_string() == text).map(Self)
    }
}

impl TryFrom<Cow<'_, str>> for Id {
    type Error = &'static str;
    fn try_from(text: Cow<'_, str>) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an id")
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(String::from("uuid"))))
            .pattern(Some("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"))
            .into()
    }
}

impl ToSchema for Id {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_one_address() {
        let canonical = "0192f0aa-1111-7000-8000-00000000000a";
        assert!(Id::parse(canonical).is_some());
        for other in [
            "0192F0AA-1111-7000-8000-00000000000A",
            "0192f0aa11117000800000000000000a",
            "{0192f0aa-1111-7000-8000-00000000000a}",
            "urn:uuid:0192f0aa-1111-7000-8000-00000000000a",
            "",
            "..",
        ] {
            assert_eq!(Id::parse(other), None, "{other}");
        }
    }
}
