-- What a report's tests ran in, where something says so; empty where nothing does.
--
-- worker is the one that ran all of them. Where several did, workers says which ran which result
-- (see docs/SEGMENT.md), and worker is empty. shard is the part of the suite, such as 2/4; seed is
-- that of the random order.

ALTER TABLE report ADD COLUMN worker TEXT NOT NULL DEFAULT '';
ALTER TABLE report ADD COLUMN workers BLOB;
ALTER TABLE report ADD COLUMN shard TEXT NOT NULL DEFAULT '';
ALTER TABLE report ADD COLUMN seed TEXT NOT NULL DEFAULT '';
