-- Readers are woken with what was added: "category-type", separated by commas. So one that wants
-- none of it need not look. An empty text says nothing: then everybody looks.
CREATE OR REPLACE FUNCTION events_rouse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := (SELECT string_agg(DISTINCT stream_type || '-' || event_type, ',') FROM added);
BEGIN
    IF what IS NOT NULL THEN
        PERFORM pg_notify(
            'events_' || TG_RELID, CASE WHEN octet_length(what) < 7000 THEN what ELSE '' END
        );
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER events_rouse_readers ON events;
CREATE TRIGGER events_rouse_readers AFTER INSERT ON events REFERENCING NEW TABLE AS added
EXECUTE FUNCTION events_rouse();
