-- The machine that a report's tests ran on, as the report says; empty where it does not.

ALTER TABLE report ADD COLUMN host TEXT NOT NULL DEFAULT '';
