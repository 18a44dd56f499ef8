"""
Makes the files in `compression/`, for test/unit/compression/compression.test.ts: what bzip2, lz4 and snappy write.

    apt-get install bzip2 lz4
    pip install python-snappy
    python test/golden/compression.py

`text` is 20,000 lines, `zeros` 4 MiB of them. Small blocks, so that a file has several.
"""
import os, subprocess
import snappy

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'compression')
os.makedirs(here, exist_ok=True)
text = ''.join('{"id":%d,"word":"w%d"}\n' % (i, (i * 7919) % 1000) for i in range(20000)).encode()
contents = {'text': text, 'zeros': bytes(4 << 20)}

def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout

for name, data in contents.items():
    files = {
        'bz2': run(['bzip2', '-1', '-c'], data),
        'lz4': run(['lz4', '-B4', '-BD', '--content-size', '-c'] if name == 'text' else ['lz4', '-B4', '-c'], data),
        'sz': snappy.StreamCompressor().compress(data),
    }
    for ending, compressed in files.items():
        with open(os.path.join(here, name + '.' + ending), 'wb') as out:
            out.write(compressed)
