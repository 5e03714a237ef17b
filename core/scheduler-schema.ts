/**
 * The scheduler's tables. All of its state is here, none in memory, so that a crash at any point loses nothing but the
 * transaction it hit.
 *
 * `job_schedule.next_due_ms` says when a row is looked at next, and is `NEVER_MS` for every row that waits for something
 * else than time (paused, disabled, held, waiting for `after`): such rows lie at the far end of the index, and a due
 * check costs the same however many there are. `occurrence_ms` says which occurrence is the oldest not yet settled; it
 * only ever grows, which is why nothing is run twice whatever the clock does.
 */
export const SCHEDULER_SQL = `
CREATE TABLE IF NOT EXISTS job_schedule (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  identity INTEGER NOT NULL,                   -- 0: once for the whole node
  network_id BLOB,                             -- null: once for the whole node
  grid TEXT NOT NULL,                          -- the grid the times below belong to
  occurrence_ms INTEGER NOT NULL,
  next_due_ms INTEGER NOT NULL,
  last_occurrence_ms INTEGER,                  -- newest occurrence settled by a run
  disabled INTEGER NOT NULL DEFAULT 0,         -- enabled: false in jobs.yaml
  paused_since_ms INTEGER,
  parked TEXT CHECK (parked IN ('waiting', 'held')),
  attempt INTEGER NOT NULL DEFAULT 0,          -- failures of the open occurrence in a row
  drained INTEGER NOT NULL DEFAULT 0,          -- full batches of the open occurrence so far
  completed_pass INTEGER NOT NULL DEFAULT 0,   -- pass in which a run last completed: orders jobs that follow each other
  last_run_ms INTEGER,
  last_failed_ms INTEGER,
  error_class TEXT,                            -- of the last failure, until a run completes
  error_place TEXT,
  UNIQUE (job, identity)
) STRICT;
CREATE INDEX IF NOT EXISTS job_schedule_due ON job_schedule (next_due_ms);
CREATE INDEX IF NOT EXISTS job_schedule_parked ON job_schedule (parked) WHERE parked IS NOT NULL;

CREATE TABLE IF NOT EXISTS job_run (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL,
  identity INTEGER NOT NULL,
  network_id BLOB,
  started_by TEXT NOT NULL CHECK (started_by IN ('schedule', 'hand')),
  scheduled_for_ms INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  duration_ms REAL NOT NULL,
  missed INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'failed')),
  emitted INTEGER NOT NULL,                    -- envelopes the job returned
  processed INTEGER NOT NULL,                  -- envelopes that ran through, counting what they led to
  rejected INTEGER NOT NULL,
  blocked INTEGER NOT NULL,
  poisoned INTEGER NOT NULL,                   -- envelopes rolled back alone
  error_class TEXT,                            -- of the run, or of its first poisoned envelope
  error_place TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS job_run_of ON job_run (job, identity);

CREATE TABLE IF NOT EXISTS scheduler_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  highest_ms INTEGER,                          -- highest wall time ever believed
  suspect_since_ms INTEGER,
  reason TEXT,
  pass INTEGER NOT NULL                        -- passes that had work, counted
) STRICT;
INSERT INTO scheduler_clock (id, pass) SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM scheduler_clock);
`;
