"""Reads the tables named in the arguments with pyarrow or fastavro and prints each as one line of JSON, see python.ts."""
import datetime, decimal, json, math, sys

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return (aware - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    if isinstance(value, decimal.Decimal):
        return format(value, 'f')
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # JSON has neither; -0 is told apart.
        return value if math.isfinite(value) else str(value)
    return value


def rows(path):
    if path.endswith('.avro'):
        import fastavro

        with open(path, 'rb') as file:
            return list(fastavro.reader(file))
    import pyarrow.ipc
    import pyarrow.parquet

    if path.endswith('.parquet'):
        return pyarrow.parquet.read_table(path).to_pylist()
    with open(path, 'rb') as file:
        magic = file.read(6)
        file.seek(0)
        reader = pyarrow.ipc.open_file(file) if magic == b'ARROW1' else pyarrow.ipc.open_stream(file)
        return reader.read_all().to_pylist()


for path in sys.argv[1:]:
    print(json.dumps([plain(row) for row in rows(path)]))
