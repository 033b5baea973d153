"""Reads an archive with pyiceberg and prints what a test can compare: python lake.py WAREHOUSE TABLE VALUE_COLUMN."""

import sys
from fractions import Fraction

from pyiceberg.catalog.sql import SqlCatalog

warehouse, table, value = sys.argv[1:]
catalog = SqlCatalog("spillway", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}")
rows = catalog.load_table(table).scan().to_arrow()
print("rows", rows.num_rows)
print("faults", rows.num_rows - rows["_fault"].null_count)
# The sum of the fractions is exact, whatever the order of the rows.
print("sum", float(sum((Fraction(v) for v in rows[value].to_pylist() if v is not None), Fraction(0))))
print("offsets", sum(rows["_kafka_offset"].to_pylist()))
print("times", sum(v.as_py().microsecond + int(v.as_py().timestamp()) for v in rows["_kafka_timestamp"]))
