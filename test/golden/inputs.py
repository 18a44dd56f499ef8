"""
Makes the files in this folder that other writers wrote, for test/contract/golden-inputs.test.ts:

    pip install pyarrow duckdb fastavro python-snappy backports.zstd
    python test/golden/inputs.py

Each file has the same rows; `rows.json` says them. One file for each way in which writers differ: codecs, encodings,
page versions, dictionaries, row groups, the forms of lists, times and decimals.
"""
import datetime, decimal, json, os, uuid
import pyarrow as pa, pyarrow.parquet as pq

here = os.path.dirname(os.path.abspath(__file__))
D = decimal.Decimal
UTC = datetime.timezone.utc
ROWS = 300

def at(i):
    return datetime.datetime(2026, 11, 22, 13, 14, 15, 123456, UTC) + datetime.timedelta(minutes=17 * i)

def nth(i, value, every=7):
    return None if i % every == 3 else value

rows = [{
    'b': nth(i, i % 3 == 0),
    'i32': nth(i, (i * 7919) % 100000 - 50000),
    'i64': nth(i, (i - 150) * 2**53 + i),
    'f32': nth(i, i / 4),
    'f64': nth(i, i * 1.1 - 100),
    's': nth(i, ['', 'abc', 'käse 🧀', 'x' * 70][i % 4]),
    'unique': f'value {i}',
    'bin': nth(i, bytes([i % 256, 255, 0])),
    'day': nth(i, datetime.date(2026, 1, 1) + datetime.timedelta(days=i - 400)),
    'ms': nth(i, at(i).replace(microsecond=123000)),
    'us': nth(i, at(i)),
    'd9': nth(i, D(i * 317 - 4000) / 100),
    'd18': nth(i, D(i * 10**12 - 5)),
    'd38': nth(i, D(i * 10**25 - 7).scaleb(-10)),
    'list': nth(i, [None if k == 2 else i + k for k in range(i % 5)]),
    'struct': nth(i, {'x': nth(i, i, 5), 'y': f'y{i % 10}'}),
    'deep': nth(i, [{'tags': nth(k, [f't{j}' for j in range(k)], 4)} for k in range(i % 4)], 11),
} for i in range(ROWS)]

D38 = pa.decimal128(38, 10)
schema = pa.schema([
    ('b', pa.bool_()), ('i32', pa.int32()), ('i64', pa.int64()), ('f32', pa.float32()), ('f64', pa.float64()),
    ('s', pa.string()), pa.field('unique', pa.string(), nullable=False), ('bin', pa.binary()), ('day', pa.date32()),
    ('ms', pa.timestamp('ms', 'UTC')), ('us', pa.timestamp('us', 'UTC')),
    ('d9', pa.decimal128(9, 2)), ('d18', pa.decimal128(18, 0)), ('d38', D38),
    ('list', pa.list_(pa.int64())), ('struct', pa.struct([('x', pa.int32()), ('y', pa.string())])),
    ('deep', pa.list_(pa.struct([('tags', pa.list_(pa.string()))]))),
])
with decimal.localcontext() as ctx:
    ctx.prec = 60
    table = pa.Table.from_pylist(rows, schema)

def plain(value):
    if isinstance(value, bytes): return value.hex()
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date): return (value - datetime.date(1970, 1, 1)).days
    if isinstance(value, D): return format(value, 'f')
    if isinstance(value, list): return [plain(v) for v in value]
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, int) and not isinstance(value, bool): return str(value)
    return value

def path(name):
    p = os.path.join(here, name)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p

with open(path('rows.json'), 'w') as f:
    # One row a line; integers, times (microseconds) and decimals as text, bytes as hex.
    f.write('[\n' + ',\n'.join(json.dumps(plain(row), ensure_ascii=False) for row in table.to_pylist()) + '\n]\n')

for codec in ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']:
    pq.write_table(table, path(f'parquet/pyarrow-{codec}.parquet'), compression=codec)
pq.write_table(table, path('parquet/pyarrow-v2-pages.parquet'), data_page_version='2.0', row_group_size=100, data_page_size=256, write_page_checksum=True)
pq.write_table(table, path('parquet/pyarrow-plain.parquet'), use_dictionary=False, data_page_size=256, write_page_checksum=True)
pq.write_table(table, path('parquet/pyarrow-delta.parquet'), use_dictionary=False, data_page_size=512, column_encoding={
    'i32': 'DELTA_BINARY_PACKED', 'i64': 'DELTA_BINARY_PACKED', 'ms': 'DELTA_BINARY_PACKED', 's': 'DELTA_BYTE_ARRAY',
    'unique': 'DELTA_BYTE_ARRAY', 'bin': 'DELTA_LENGTH_BYTE_ARRAY', 'f32': 'BYTE_STREAM_SPLIT', 'f64': 'BYTE_STREAM_SPLIT',
    'b': 'RLE', 'd38': 'BYTE_STREAM_SPLIT'})
pq.write_table(table, path('parquet/pyarrow-int96.parquet'), use_deprecated_int96_timestamps=True, store_schema=False)
pq.write_table(table, path('parquet/pyarrow-old-lists.parquet'), use_compliant_nested_type=False, version='1.0')

import duckdb
db = duckdb.connect()
db.execute("SET timezone = 'UTC'")
db.register('rows', table)
for version in ['V1', 'V2']:
    db.execute(f"COPY rows TO '{path(f'parquet/duckdb-{version.lower()}.parquet')}' (FORMAT parquet, PARQUET_VERSION {version}, COMPRESSION zstd, ROW_GROUP_SIZE 2048)")

# Avro: fastavro's container files. Unions in both orders, an enum, a fixed decimal, a map, a record within itself.
import fastavro

def opt(t): return ['null', t]
avro_fields = [
    ('b', 'boolean'), ('i32', 'int'), ('i64', 'long'), ('f32', 'float'), ('f64', 'double'), ('s', 'string'),
    ('unique', 'string'), ('bin', 'bytes'), ('day', {'type': 'int', 'logicalType': 'date'}),
    ('ms', {'type': 'long', 'logicalType': 'timestamp-millis'}), ('us', {'type': 'long', 'logicalType': 'timestamp-micros'}),
    ('d9', {'type': 'bytes', 'logicalType': 'decimal', 'precision': 9, 'scale': 2}),
    ('d18', {'type': 'fixed', 'name': 'd18', 'size': 8, 'logicalType': 'decimal', 'precision': 18, 'scale': 0}),
    ('d38', {'type': 'bytes', 'logicalType': 'decimal', 'precision': 38, 'scale': 10}),
    ('list', {'type': 'array', 'items': opt('long')}),
    ('struct', {'type': 'record', 'name': 'st', 'fields': [{'name': 'x', 'type': ['int', 'null']}, {'name': 'y', 'type': opt('string')}]}),
    ('deep', {'type': 'array', 'items': {'type': 'record', 'name': 'dp', 'fields': [
        {'name': 'tags', 'type': opt({'type': 'array', 'items': 'string'})}]}}),
]
avro_schema = fastavro.parse_schema({'type': 'record', 'name': 'row', 'namespace': 'a.b', 'fields': [
    {'name': n, 'type': t if n == 'unique' else opt(t)} for n, t in avro_fields]})
avro_rows = table.to_pylist()
for codec in ['null', 'deflate', 'snappy', 'zstandard']:
    with open(path(f'avro/fastavro-{codec}.avro'), 'wb') as f:
        fastavro.writer(f, avro_schema, avro_rows, codec=codec, sync_interval=4000, sync_marker=bytes(range(16)))

odd_schema = fastavro.parse_schema({'type': 'record', 'name': 'odd', 'fields': [
    {'name': 'colour', 'type': {'type': 'enum', 'name': 'colour', 'symbols': ['RED', 'GREEN']}},
    {'name': 'again', 'type': ['null', 'colour']},
    {'name': 'map', 'type': {'type': 'map', 'values': 'int'}},
    {'name': 'number', 'type': ['int', 'long']},
    {'name': 'any', 'type': ['null', 'string', 'boolean', {'type': 'array', 'items': 'double'}]},
    {'name': 'tree', 'type': {'type': 'record', 'name': 'tree', 'fields': [
        {'name': 'v', 'type': 'int'}, {'name': 'next', 'type': ['null', 'tree']}]}},
    {'name': 'ns', 'type': {'type': 'long', 'logicalType': 'timestamp-nanos'}},
    {'name': 'nothing', 'type': 'null'},
]})
with open(path('odd/fastavro.avro'), 'wb') as f:
    fastavro.writer(f, odd_schema, [
        {'colour': 'RED', 'again': 'GREEN', 'map': {'a': 1, 'b': 2}, 'number': 5, 'any': 'text', 'tree': {'v': 1, 'next': {'v': 2, 'next': None}}, 'ns': 1000, 'nothing': None},
        {'colour': 'GREEN', 'again': None, 'map': {}, 'number': 2**40, 'any': [1.5, -0.0], 'tree': {'v': 3, 'next': None}, 'ns': -5000, 'nothing': None},
    ], codec='null', sync_marker=bytes(range(16)))

# Arrow: the file and the stream form, several batches, compressed buffers, dictionaries that grow.
import pyarrow.ipc as ipc

big = table
coded = table.set_column(table.schema.get_field_index('s'), 's', table['s'].combine_chunks().dictionary_encode())
for name, source, options in [
    ('plain', table, {}),
    ('lz4', table, {'compression': 'lz4'}),
    ('zstd', table, {'compression': 'zstd'}),
    ('dictionary', coded, {'unify_dictionaries': False}),
]:
    opts = ipc.IpcWriteOptions(**options)
    for form, make in [('file', ipc.new_file), ('stream', ipc.new_stream)]:
        with open(path(f'arrow/pyarrow-{name}.{"arrow" if form == "file" else "arrows"}'), 'wb') as f, make(f, source.schema, options=opts) as w:
            w.write_table(source, max_chunksize=70)
delta = pa.schema([('s', pa.dictionary(pa.int32(), pa.string()))])
with open(path('odd/delta.arrows'), 'wb') as f, ipc.new_stream(f, delta, options=ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as w:
    for values, codes in [(['a', 'b'], [0, 1, None]), (['a', 'b', 'c'], [2, 0]), (['x'], [0, 0])]:
        w.write_batch(pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values)], delta))

# An LZ4 frame around text.
with open(path('lz4/text.lz4'), 'wb') as f:
    f.write(pa.compress(''.join(f'line {(i * 7919) % 1000} of some text\n' for i in range(20000)).encode(), codec='lz4', asbytes=True))
