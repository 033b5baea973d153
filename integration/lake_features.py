"""Reads features with pyiceberg and prints for each column its nulls and its exact sum: python lake_features.py WAREHOUSE TABLE."""

import struct
import sys
from fractions import Fraction

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

warehouse, table = sys.argv[1:]
catalog = SqlCatalog("spillway", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}")
features = catalog.load_table(table)
rows = features.scan().to_arrow()
print("rows", rows.num_rows)
for name in sorted(rows.schema.names):
    column = rows[name]
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        total = float(sum((Fraction(v) for v in column.to_pylist() if v is not None), Fraction(0)))
        # The bits of the sum, which every language writes alike.
        print(name, column.null_count, struct.unpack("<q", struct.pack("<d", total))[0])
print("plan", features.current_snapshot().summary["spillway.plan"])
