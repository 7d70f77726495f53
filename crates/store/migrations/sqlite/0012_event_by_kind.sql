-- Events of a few kinds are found without reading the others.

CREATE INDEX event_by_kind ON event (kind, position);
