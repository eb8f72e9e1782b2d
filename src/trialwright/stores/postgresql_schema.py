"""What stands in a PostgreSQL store: owner's schema, application's schema, and the only doors between them.

Two roles for each database, named after it: NAME_owner owns the record; NAME_app, which every session becomes,
may read it and call three functions that run with the owner's rights. The application cannot insert, change,
delete or truncate a row of the record, and what it appends is numbered and hashed here, by the server.
No sequences: they leave gaps on rollback and hand out numbers out of commit order.
"""

from __future__ import annotations

SCHEMA_VERSION = 1

RECORD_TABLES = ("ledger_entry", "ledger_head", "ledger_checkpoint", "ledger_format")

INSTALL = """
CREATE SCHEMA ledger;
CREATE SCHEMA projection AUTHORIZATION {app};
GRANT USAGE ON SCHEMA ledger TO {app};
SET LOCAL search_path = ledger, pg_temp;

CREATE TABLE ledger_format (version integer NOT NULL PRIMARY KEY);
INSERT INTO ledger_format VALUES ({version});

CREATE TABLE ledger_entry (
    ledger_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    stream_seq bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    leaf bytea NOT NULL,
    chain bytea NOT NULL,
    PRIMARY KEY (ledger_id, seq),
    UNIQUE (ledger_id, stream, stream_seq));
CREATE INDEX ledger_entry_by_request ON ledger_entry (ledger_id, request_id, seq);

CREATE TABLE ledger_head (
    ledger_id text COLLATE "C" NOT NULL PRIMARY KEY CHECK (ledger_id ~ '^[a-z0-9][a-z0-9._/-]{{0,119}}$'),
    size bigint NOT NULL,
    chain bytea NOT NULL,
    frontier bytea NOT NULL);

CREATE TABLE ledger_checkpoint (
    ledger_id text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    note text COLLATE "C" NOT NULL,
    PRIMARY KEY (ledger_id, note));

CREATE TABLE projection.store_projection (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    declaration text NOT NULL);
GRANT SELECT, INSERT, DELETE ON projection.store_projection TO {app};

-- The owner's own mistakes are refused too; only a superuser who disables the trigger gets past, and
-- a checkpoint held outside finds that out.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: no % on %', lower(TG_OP), TG_TABLE_NAME USING ERRCODE = 'TW001';
END $$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_head_kept BEFORE DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION lock_head(wanted text, OUT head_size bigint, OUT head_chain bytea, OUT head_frontier bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
    last_seq bigint;
    last_chain bytea;
BEGIN
    LOOP
        SELECT size, chain, frontier INTO head_size, head_chain, head_frontier
            FROM ledger_head WHERE ledger_id = wanted FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO ledger_head VALUES (wanted, 0, sha256('\\x03'::bytea || convert_to(wanted, 'UTF8')), '')
            ON CONFLICT DO NOTHING;
    END LOOP;
    -- The last entry must be the one the head speaks of: nothing is added to a ledger that lost its end.
    SELECT seq, chain INTO last_seq, last_chain
        FROM ledger_entry WHERE ledger_id = wanted ORDER BY seq DESC LIMIT 1;
    IF coalesce(last_seq, 0) <> head_size OR coalesce(last_chain, head_chain) <> head_chain
    THEN
        RAISE EXCEPTION 'the entries of % do not end at its head', wanted USING ERRCODE = 'TW002';
    END IF;
END $$;

CREATE FUNCTION append_events(
    ledger text, streams text[], stream_seqs bigint[], types text[], request_ids text[], bodies bytea[],
    OUT head_size bigint, OUT head_chain bytea, OUT head_frontier bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
    e record;
    new_leaf bytea;
    node bytea;
    carry bigint;
BEGIN
    SELECT h.head_size, h.head_chain, h.head_frontier INTO head_size, head_chain, head_frontier
        FROM lock_head(ledger) h;
    FOR e IN
        SELECT n.stream, n.stream_seq, n.type, n.request_id, n.body
        FROM unnest(streams, stream_seqs, types, request_ids, bodies)
            WITH ORDINALITY AS n(stream, stream_seq, type, request_id, body, place)
        ORDER BY n.place
    LOOP
        IF e.stream_seq IS DISTINCT FROM 1 + coalesce((
            SELECT max(x.stream_seq) FROM ledger_entry x WHERE x.ledger_id = ledger AND x.stream = e.stream), 0)
        THEN
            RAISE EXCEPTION 'append-only: not the next entry of %', e.stream USING ERRCODE = 'TW001';
        END IF;
        new_leaf := sha256('\\x00'::bytea || e.body);
        head_chain := sha256('\\x02'::bytea || head_chain || new_leaf);
        node := new_leaf;
        carry := head_size;
        WHILE carry & 1 = 1 LOOP
            node := sha256('\\x01'::bytea || substr(head_frontier, length(head_frontier) - 31) || node);
            head_frontier := substr(head_frontier, 1, length(head_frontier) - 32);
            carry := carry >> 1;
        END LOOP;
        head_frontier := head_frontier || node;
        head_size := head_size + 1;
        INSERT INTO ledger_entry VALUES
            (ledger, head_size, e.stream, e.stream_seq, e.type, e.request_id, e.body, new_leaf, head_chain);
    END LOOP;
    UPDATE ledger_head SET size = head_size, chain = head_chain, frontier = head_frontier
        WHERE ledger_id = ledger;
END $$;

CREATE FUNCTION save_checkpoint(ledger text, covered bigint, checkpoint text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
    INSERT INTO ledger_checkpoint VALUES (ledger, covered, checkpoint) ON CONFLICT DO NOTHING;
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_head, append_events, save_checkpoint TO {app};
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {app};
"""
