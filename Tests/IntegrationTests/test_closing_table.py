"""The close table, a test for each row. All selected rows run at once, then each is compared."""

import pytest

import closing
import closing_table


@pytest.fixture(scope="module")
def outcomes(request, authority):
    return closing.play_asked_for(request, authority)


@pytest.mark.parametrize("row", closing_table.ROWS, ids=lambda row: row.name)
def test_closing(row, outcomes):
    row.check(outcomes[row.name])
