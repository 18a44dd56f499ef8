/**
 * The acceptance cases: what the tests of Apache Flink's file source and file sink check, as behaviour. Section letter
 * and number name a case; tests carry the name in front of their title. `unless` says why a case has no test.
 */

export interface AcceptanceCase {
  readonly id: string;
  readonly what: string;
  readonly unless?: string;
}

interface Section {
  readonly title: string;
  readonly cases: readonly (readonly [id: string, what: string, unless?: string])[];
}

const LISTENER =
  'Flink has the listener for its partition commits; here a checkpoint names every part that it publishes, with its bucket';
const TEMPLATES = 'write-ahead, two-phase and async templates are not there yet';
const SAVEPOINT = 'there is no older program or savepoint to come from';

export const ACCEPTANCE_SECTIONS: readonly Section[] = [
  {
    title: 'A. Life cycle and rolling',
    cases: [
      ['A1', 'open and close without a record: no files, no error'],
      ['A2', 'close of a sink that was never opened: no error'],
      ['A3', 'limit 10 B, records of 8 B: the third record closes a part of two'],
      ['A4', 'a part exactly at its limit is not rolled; it may exceed it by a record'],
      ['A5', 'inactive parts become pending, still hidden'],
      ['A6', 'rolls by inactivity and by age, at the very millisecond'],
      ['A7', 'default policy, small part: a checkpoint does not roll it, its position is in the snapshot'],
      ['A8', 'on-checkpoint policy: one part a bucket and checkpoint, none in between'],
      ['A9', 'each of the three questions rolls on its own; none is asked without an open part'],
      ['A10', 'a notification publishes what was closed before its checkpoint, and no more'],
      ['A11', 'a late notification publishes only its own parts'],
      ['A12', 'part numbers are unique over the buckets of a subtask'],
      ['A13', 'a bucket that gets data again goes on counting'],
      ['A14', 'closed without a checkpoint: nothing is published'],
      ['A15', 'the assigner sees timestamp (or null), watermark and processing time'],
      ['A16', 'a bucket id that is a number is a folder of its text'],
      ['A17', 'base path assigner: parts directly under the base path'],
      ['A18', 'date assigner: processing time by pattern and zone'],
      ['A19', 'prefix and suffix in visible and hidden names'],
      ['A20', 'buckets are told as created and inactive, also after a restart', LISTENER],
      [
        'A21',
        'bulk: one part with all records at a checkpoint, visible after the notification; the latest publishes all',
      ],
      ['A22', 'the timer goes on for ever'],
      ['A23', 'each record is counted once'],
    ],
  },
  {
    title: 'B. Restore',
    cases: [
      [
        'B24',
        'the open part is cut back to the checkpoint and goes on; a part of the dead run is never published',
      ],
      ['B25', 'pending parts of five checkpoints are published at restart, the open part stays hidden'],
      ['B26', 'the same without an open part: nothing hidden is left'],
      ['B27', 'an empty state restores to nothing'],
      ['B28', 'a writer that cannot resume hands its open part over'],
      ['B29', 'a crash between commit and the next checkpoint: repeated, no error, no duplicate'],
      ['B30', 'state of an older version works; of an unknown one or damaged: a clear error'],
      ['B31', 'superseded snapshots of open parts are released, those still needed kept'],
      ['B32', 'fewer subtasks: of two open parts in one bucket one goes on, the other is published'],
      ['B33', 'the part counter goes on above that of all former subtasks'],
      ['B34', 'FileSink restored from a savepoint of StreamingFileSink', SAVEPOINT],
      ['B35', 'fewer subtasks with their states in another order: the same content'],
      [
        'B36',
        'committables of three buckets: three under on-checkpoint, none under a patient policy; all at the end of input',
      ],
      ['B37', 'the second checkpoint cleans up after the first one’s snapshot of an open part'],
      ['B38', 'a bucket without data for one more checkpoint is forgotten'],
      ['B39', 'rolling by time is measured with the injected clock'],
    ],
  },
  {
    title: 'C. Committer',
    cases: [
      ['C40', 'N pending parts: N published, none twice'],
      ['C41', 'a commit waits for all committables of its checkpoint; late ones are committed at once'],
      ['C42', 'restored committables are committed at start'],
      ['C43', 'end of input: the commit comes with the last checkpoint'],
    ],
  },
  {
    title: 'D. End to end',
    cases: [
      [
        'D44',
        'several sources, four buckets, a failure half-way: each record as often as there are sources, four folders',
      ],
      ['D45', 'killed once, then again: sorted content equal'],
      ['D46', 'two attempts of one writer at the same time: no duplicates'],
      ['D47', 'the same with compaction'],
      ['D48', 'compaction switched on and off between runs'],
    ],
  },
  {
    title: 'E. Compaction',
    cases: [
      ['E49', 'size threshold over the files of one bucket'],
      ['E50', 'every N checkpoints: in our terms, a bucket with more than N small parts'],
      ['E51', 'end of input below the threshold'],
      ['E52', 'files that are not to be compacted pass through'],
      ['E53', 'restore with files that wait'],
      ['E54', 'a request runs after its checkpoint only'],
      ['E55', 'a crash between request and result: one result'],
      ['E56', 'bin packing per bucket, the same from any order'],
      ['E57', 'sources are deleted after the following checkpoint'],
      ['E58', 'end of input ends the last checkpoint'],
    ],
  },
  {
    title: 'F. RecoverableWriter',
    cases: [
      ['F59', 'close and commit without data: an empty file'],
      ['F60', 'visible after commit only'],
      ['F61', 'write, persist, write, commit: both'],
      ['F62', 'resume from each of several persists: exact content, one file'],
      ['F63', 'commit after recovery by a fresh process, as often as it likes'],
      ['F64', 'writing after closeForCommit is an error'],
      ['F65', 'resuming a committed file is an error'],
      ['F66', 'resuming at a later point after resuming at an earlier one is an error'],
      ['F67', 'closeForCommit makes durable before it returns'],
      ['F68', 'many persists without writes add nothing'],
      ['F69', 'what was not persisted is gone after recovery'],
      ['F70', 'closing without commit discards'],
      ['F71', 'S3: full parts and a tail object'],
      ['F72', 'S3: cleanup deletes the tail'],
      ['F73', 'S3: recovery after several full parts'],
      ['F74', 'S3: names of tail objects'],
      ['F75', 'stored handles come back equal'],
      ['F76', 'S3: the tail is not lost by a crash and a resume'],
    ],
  },
  {
    title: 'G. Monitoring source',
    cases: [
      ['G77', 'a path that does not exist is an error with that path'],
      ['G78', 'a user’s filter: accepted names only'],
      ['G79', 'nested folders, or the top level only'],
      ['G80', 'ascending modification time'],
      ['G81', 'PROCESS_ONCE: what is there at the start'],
      ['G82', 'PROCESS_CONTINUOUSLY: later files too, until stopped'],
      ['G83', 'what the monitor has seen is in the checkpoint'],
      ['G84', 'a restored reader goes on with the same records in the same order'],
      [
        'G85',
        'ingestion time: watermarks at intervals',
        'rows carry their own time or none; there is no ingestion time',
      ],
      [
        'G86',
        'event time: no watermark but the last',
        'watermarks come from the rows as they are read, of bounded input, too; the end of the input closes and announces everything',
      ],
      ['G87', 'splits of a lost reader are read on by others'],
      ['G88', 'files over time, a failure in the middle: each line once'],
      ['G89', 'an error in open or read surfaces'],
      ['G90', 'the end of a bounded read comes after all its records are written'],
    ],
  },
  {
    title: 'H. FileSource',
    cases: [
      ['H91', 'text and gz in nested folders beside hidden names: the visible lines'],
      ['H92', 'the same with failures: exactly once'],
      ['H93', 'continuous, files renamed in, failover half-way: exactly once'],
      ['H94', 'large files are cut into ranges, gz never'],
      ['H95', 'patterns of paths; hidden folders are skipped'],
      ['H96', 'splits without a reader stay in the checkpoint; waiting readers get theirs at once'],
      ['H97', 'bounded: no more splits after the last'],
      ['H98', 'a reader restored with splits does not ask for one; without, once'],
      ['H99', 'recovery after any number of records, in one split or several'],
      ['H100', 'creation or restore fails: nothing stays open'],
      ['H101', 'batches smaller than, equal to and multiples of the file; empty files'],
      ['H102', 'the enumerator’s state comes back equal'],
      ['H103', 'a second file that appears later; patterns over folders'],
    ],
  },
  {
    title: 'I. Partition commit',
    cases: [
      ['I104', 'partitions are announced with their checkpoint'],
      ['I105', 'data after a snapshot is announced again'],
      ['I106', 'process time with a delay'],
      ['I107', 'partition time with a delay'],
      ['I108', 'a success file in each partition'],
      ['I109', 'wrong policies are errors of the configuration'],
      ['I110', 'times out of partition names'],
      [
        'I111',
        'append and overwrite',
        'a part that is visible is never replaced: partitions are appended to, and rows that come late are announced again (I105)',
      ],
    ],
  },
  {
    title: 'J. Write-ahead, two-phase, async',
    cases: [
      ['J112', 'write-ahead over checkpoints and failures', TEMPLATES],
      ['J113', 'write-ahead with other parallelism', TEMPLATES],
      ['J114', 'two-phase commit and its timeouts', TEMPLATES],
      ['J115', 'async calls in order and out of it', TEMPLATES],
    ],
  },
];

export const ACCEPTANCE_CASES: readonly AcceptanceCase[] = ACCEPTANCE_SECTIONS.flatMap(({ cases }) =>
  cases.map(([id, what, unless]) => ({ id, what, ...(unless === undefined ? {} : { unless }) })),
);
