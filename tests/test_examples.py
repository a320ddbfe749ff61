"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import coursepages
import papercheck
import semfit
import simmarket
import surveychapter
import switchcost

PACKAGES = (semfit, switchcost, simmarket, papercheck, surveychapter, coursepages)
MODULES = [m.name for p in PACKAGES for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # an example may write a file
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0
