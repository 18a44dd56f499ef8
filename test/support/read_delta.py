"""Prints, for the Delta table at argv[1], its version, the number of its rows and of its distinct ids, as JSON."""
import json
import os
import sys

from deltalake import DeltaTable

table = DeltaTable(sys.argv[1])
ids = table.to_pyarrow_table(columns=["id"])["id"].to_pylist()
print(json.dumps({"version": table.version(), "rows": len(ids), "ids": len(set(ids))}), flush=True)
# The libraries' threads now and then abort a process that is about to end.
os._exit(0)
