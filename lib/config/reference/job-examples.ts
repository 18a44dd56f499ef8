/** Examples of job files for the manual. A test reads each of them. */

export const EXAMPLES: readonly { readonly title: string; readonly yaml: string }[] = [
  {
    title: 'The least there is',
    yaml: `version: 1
job: events
source:
  path: ./incoming
  format: { type: ndjson }
sink:
  path: ./lake/events
`,
  },
  {
    title: 'A daemon: NDJSON into hourly Parquet, by the time of the event',
    yaml: `version: 1
job: web-events
state: \${STATE_DIR:-./state}
memory: 512MiB
checkpoint: { interval: 5s, retain: 3 }
source:
  path: ./incoming
  include: ['**/*.ndjson', '**/*.ndjson.gz']
  monitor_interval: 5s
  modified: append
  format:
    type: ndjson
    schema:
      - { name: ts, type: timestamp, nullable: false }
      - { name: user, type: string }
      - { name: amount, type: 'decimal(12,2)' }
      - { name: tags, type: 'list<string>' }
    on_bad_record: skip
event_time: { field: ts }
sink:
  path: ./lake/web-events
  format: { type: parquet, compression: zstd }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd/'hour='HH", zone: UTC }
  rolling: { part_size: 256MiB, rollover_interval: 15m, inactivity_interval: 5m }
`,
  },
  {
    title: 'A backfill: CSV into folders by country and day',
    yaml: `version: 1
job: orders-2026
source:
  path: ['./export/orders-*.csv', './export/late']
  exclude: ['**/*.tmp']
  format:
    type: csv
    delimiter: ';'
    null_text: 'NA'
    schema:
      - { name: id, type: int64, nullable: false }
      - { name: country, type: string }
      - { name: ordered_at, type: timestamp(us) }
      - { name: total, type: 'decimal(10,2)' }
sink:
  path: ./lake/orders
  bucket: { type: fields, fields: [country, { dt: 'ordered_at:date' }] }
  rolling: { part_size: 512MiB, rollover_interval: 1h, inactivity_interval: 1h }
`,
  },
  {
    title: 'Tables that Hive, Presto and Trino read as text',
    yaml: `version: 1
job: clicks-for-hive
source:
  path: ./clicks
  format: { type: ndjson, schema: infer }
event_time: { field: at, unit: s }
sink:
  path: ./warehouse/clicks
  format: { type: ndjson, dialect: hive, compression: gzip }
  bucket: { type: datetime, time: event, pattern: "'dt='yyyy-MM-dd" }
  rolling: { on_checkpoint: true }
`,
  },
  {
    title: 'Lines of text, compressed, one part a thousand lines',
    yaml: `version: 1
job: logs
parallelism: 1
source:
  path: /var/log/app/*.log
  min_age: 1m
  format: { type: text, column: line }
sink:
  path: ./archive
  format: { type: text, compression: gzip }
  bucket: { type: base_path }
  rolling: { max_rows: 1000 }
  part: { prefix: app, suffix: .log.gz }
`,
  },
];
