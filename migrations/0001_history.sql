-- The history: what ran, what became of it, and why it failed.
--
-- Results of one report are one blob (report.segment, see docs/SEGMENT.md). Everything else is
-- plain rows, and every bad attempt is a row as well, so that any SQLite client can answer
-- "what failed, where, since when". Times are milliseconds since 1970 in UTC, durations
-- microseconds, outcomes 0 passed, 1 failed, 2 errored, 3 skipped, lanes 0 default branch,
-- 1 pull request or merge queue, 2 other.

CREATE TABLE project (
  project_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE revision (
  revision_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  name TEXT NOT NULL,
  UNIQUE (project_id, name)
) STRICT;

CREATE TABLE branch (
  branch_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  name TEXT NOT NULL,
  UNIQUE (project_id, name)
) STRICT;

-- The matrix cell as printed, such as os=linux,python=3.12; empty for none.
CREATE TABLE variant (
  variant_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  name TEXT NOT NULL,
  UNIQUE (project_id, name)
) STRICT;

CREATE TABLE run (
  run_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  run_key BLOB NOT NULL CHECK (length(run_key) = 16),
  revision_id INTEGER REFERENCES revision,
  branch_id INTEGER REFERENCES branch,
  variant_id INTEGER NOT NULL REFERENCES variant,
  lane INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 2),
  build TEXT,
  attempt INTEGER NOT NULL,
  job TEXT,
  url TEXT,
  -- stated_ms where somebody said so, else the earliest start of its reports.
  started_ms INTEGER NOT NULL,
  stated_ms INTEGER,
  ingested_ms INTEGER NOT NULL,
  -- Sums over its reports.
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  reports INTEGER NOT NULL,
  results INTEGER NOT NULL,
  suite_failures INTEGER NOT NULL,
  cases INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  errored INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  flaky INTEGER NOT NULL,
  UNIQUE (project_id, run_key)
) STRICT;
CREATE INDEX run_by_time ON run (project_id, started_ms, run_key);
CREATE INDEX run_by_revision ON run (project_id, revision_id) WHERE revision_id IS NOT NULL;

CREATE TABLE report (
  report_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
  started_ms INTEGER NOT NULL,
  source TEXT NOT NULL,
  producer TEXT NOT NULL,
  warnings INTEGER NOT NULL,
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  nameless INTEGER NOT NULL,
  results INTEGER NOT NULL,
  cases INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  errored INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  flaky INTEGER NOT NULL,
  segment BLOB NOT NULL,
  UNIQUE (project_id, run_id, content_hash)
) STRICT;
CREATE INDEX report_by_hash ON report (project_id, content_hash);

-- Where tests are, once for all tests of a class; test_readable puts both together.
CREATE TABLE scope (
  scope_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  scope_key BLOB NOT NULL CHECK (length(scope_key) = 16),
  -- Names of the enclosing suites, joined by U+001F.
  suite TEXT NOT NULL,
  classname TEXT NOT NULL,
  file TEXT NOT NULL,
  UNIQUE (project_id, scope_key)
) STRICT;

CREATE TABLE test (
  test_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  identity BLOB NOT NULL CHECK (length(identity) = 16),
  scope_id INTEGER NOT NULL REFERENCES scope,
  name TEXT NOT NULL,
  -- 1 where class and name alone are the identity.
  qualified INTEGER NOT NULL CHECK (qualified IN (0, 1)),
  first_seen_ms INTEGER NOT NULL,
  UNIQUE (project_id, identity)
) STRICT;

CREATE TABLE failure (
  failure_id INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES project,
  identity BLOB NOT NULL CHECK (length(identity) = 16),
  -- Shared by failures that differ only in numbers, addresses, paths and times.
  signature BLOB NOT NULL CHECK (length(signature) = 16),
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  -- TEXT as it is, or a BLOB that is a zstd frame.
  body ANY NOT NULL,
  UNIQUE (project_id, identity)
) STRICT;

-- One row for each attempt that failed or errored; derived from the segments.
CREATE TABLE bad (
  project_id INTEGER NOT NULL REFERENCES project,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  report_id INTEGER NOT NULL REFERENCES report ON DELETE CASCADE,
  test_id INTEGER NOT NULL REFERENCES test,
  attempt INTEGER NOT NULL CHECK (attempt >= 0),
  outcome INTEGER NOT NULL CHECK (outcome IN (1, 2)),
  failure_id INTEGER REFERENCES failure,
  PRIMARY KEY (project_id, run_id, report_id, test_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX bad_by_test ON bad (project_id, test_id);

-- Errors of whole suites, which belong to no test.
CREATE TABLE suite_failure (
  project_id INTEGER NOT NULL REFERENCES project,
  run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  report_id INTEGER NOT NULL REFERENCES report ON DELETE CASCADE,
  place INTEGER NOT NULL,
  suite TEXT NOT NULL,
  failure_id INTEGER NOT NULL REFERENCES failure,
  PRIMARY KEY (project_id, run_id, report_id, place)
) STRICT, WITHOUT ROWID;

CREATE VIEW run_readable AS
  SELECT project.name AS project, datetime(run.started_ms / 1000, 'unixepoch') AS started,
         revision.name AS revision, branch.name AS branch, variant.name AS variant,
         CASE run.lane WHEN 0 THEN 'default' WHEN 1 THEN 'change' ELSE 'other' END AS lane,
         run.build, run.attempt, run.job, run.url, run.reports, run.cases, run.passed, run.failed,
         run.errored, run.skipped, run.flaky, run.run_id
  FROM run
  JOIN project USING (project_id)
  JOIN variant USING (variant_id)
  LEFT JOIN revision USING (revision_id)
  LEFT JOIN branch USING (branch_id);

CREATE VIEW test_readable AS
  SELECT project.name AS project, replace(scope.suite, char(31), ' > ') AS suite, scope.classname,
         test.name, scope.file, datetime(test.first_seen_ms / 1000, 'unixepoch') AS first_seen,
         lower(hex(test.identity)) AS identity, test.test_id
  FROM test
  JOIN scope USING (scope_id)
  JOIN project ON project.project_id = test.project_id;

CREATE VIEW bad_readable AS
  SELECT project.name AS project, datetime(run.started_ms / 1000, 'unixepoch') AS started,
         variant.name AS variant, scope.classname, test.name, bad.attempt,
         CASE bad.outcome WHEN 1 THEN 'failed' ELSE 'errored' END AS outcome,
         failure.kind, failure.message, hex(failure.signature) AS signature,
         bad.run_id, bad.test_id, bad.failure_id
  FROM bad
  JOIN run USING (run_id)
  JOIN project ON project.project_id = bad.project_id
  JOIN variant USING (variant_id)
  JOIN test USING (test_id)
  JOIN scope USING (scope_id)
  LEFT JOIN failure USING (failure_id);
