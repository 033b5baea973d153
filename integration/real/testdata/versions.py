"""Prints the version of each module that an argument names."""

import importlib
import sys

for name in sys.argv[1:]:
    print(name, importlib.import_module(name).__version__)
