import pytest
from mutation.run import ROOT, Mutant, chosen, mutants, summary

EVERY = mutants()


def test_every_mutant_changes_one_place_and_names_tests_that_exist_or_says_why_none_can_tell():
    assert len({mutant.id for mutant in EVERY}) == len(EVERY)
    for mutant in EVERY:
        assert mutant.applied() != (ROOT / mutant.file).read_text(encoding="utf-8")
        assert bool(mutant.tests) != bool(mutant.equivalent), mutant.id
        for test in mutant.tests:
            path, _, name = test.partition("[")[0].partition("::")
            assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8"), (mutant.id, test)


@pytest.mark.parametrize(
    ("old", "new"), [("never there", "x"), ("\n", "x"), ("import sys", "import sys"), ("import sys", "(")]
)
def test_a_text_that_is_not_there_once_does_not_differ_or_is_not_python_is_refused(old, new):
    with pytest.raises((ValueError, SyntaxError)):
        Mutant("one", "statnn/__main__.py", old, new).applied()


def test_rooms_and_ids_are_chosen_and_survivors_named():
    some = chosen(EVERY, ["io"])
    assert some
    assert {mutant.room for mutant in some} == {"io"}
    assert chosen(EVERY, [EVERY[0].id]) == [EVERY[0]]
    rows = [{"id": "a", "room": "io", "result": "killed"}, {"id": "b", "room": "io", "result": "SURVIVED"}]
    assert list(summary(rows))[1:] == [f"{'io':<14}{2:>8}{1:>8}{1:>10}{0:>12}{'50.0%':>14}", "SURVIVED b"]
