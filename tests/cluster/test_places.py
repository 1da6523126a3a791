"""Jobs and lists by address on the command line: prepared, listed, sent; passwords never shown."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sinch_wrapper.bulk import JobURL, ListURL, list_jobs, prepare_database
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.errors import BulkArgumentError, BulkError
from tests.helpers.bulk import FakeBatchApi, MakeBulk, csv_file, make_bulk, rows
from tests.helpers.postgres import job_in, run
from tests.helpers.sandbox import Api, RunCli

__all__ = ["make_bulk"]


SECRET = "planted-password"


def with_password(address: str) -> str:
    """The same address with a password, which a server of tests does not ask for."""
    return make_url(address).set(password=SECRET).render_as_string(hide_password=False)


def listed(address: str) -> str:
    """The suppression list beside a job."""
    return address.replace("job=", "list=")


def test_database_is_prepared_once(run_cli: RunCli, database: str) -> None:
    """`bulk init` may run any number of times, and says whether there was anything to do."""
    assert [(0, "prepared for jobs\n"), (0, "it was prepared before: nothing to do\n")] == [
        run_cli("bulk", "init", database)[:2] for _ in range(2)
    ]
    assert {"prepared": True, "new": False} == json.loads(
        run_cli("bulk", "init", database, "--json")[1]
    )


@pytest.mark.parametrize(("step", "words"), [(-1, "earlier version"), (1, "later version")])
def test_tables_of_another_version_are_left_alone(
    jobs_database: str, step: int, words: str
) -> None:
    """Both an earlier and a later version are named, and nothing is read by guess."""
    url = make_url(jobs_database).set(drivername="postgresql+psycopg")
    sign = "+" if step > 0 else "-"
    run(url, f"UPDATE sinch_wrapper.about SET version = version {sign} 1")  # noqa: S608 (of this test)
    with pytest.raises(BulkError, match=rf"journal spring: its tables are those of an? {words}"):
        Journal(JobURL.read(job_in(jobs_database, "spring")))
    with pytest.raises(BulkError, match=rf"database test_\w+: its tables are those of an? {words}"):
        list_jobs(jobs_database)
    if step > 0:
        with pytest.raises(BulkError, match="later version of this library: update"):
            prepare_database(jobs_database)


def test_job_is_sent_listed_and_reported_by_commands(
    run_cli: RunCli, api: Api, jobs_database: str, tmp_path: Path
) -> None:
    """Every command takes the address of a job, and what it prints has no password."""
    source, job = csv_file(tmp_path, 3), with_password(job_in(jobs_database, "spring"))
    app = ["--app", api.settings.app_id, "--text", "Hi ${name}"]
    assert (0, "1 number added\n") == run_cli("suppression", "add", listed(job), "+46700000001")[:2]
    stop = ["--exclude", listed(job)]
    sent = run_cli(
        "bulk", "send", str(source), *app, "--job", job, *stop, "--deadline", "0", api=api
    )
    assert (1, "'postgresql://" in sent[1], "job=spring'" in sent[1]) == (sent[0], True, True)
    assert "spring  open" == run_cli("bulk", "list", jobs_database)[1][:12]
    resumed = run_cli("bulk", "resume", job, api=api)
    assert (0, "2 recipients: 2 accepted, 1 suppressed") == (resumed[0], resumed[1].strip())
    [found] = json.loads(run_cli("bulk", "list", with_password(jobs_database), "--json")[1])
    assert ("spring", "done", {"accepted": 2}) == tuple(
        found[name] for name in ("name", "state", "recipients")
    )
    reported = run_cli("bulk", "report", job, "--json")
    assert 2 == json.loads(reported[1])["accepted"]
    assert [] == [words for words in (*sent, *resumed, *reported, found) if SECRET in str(words)]


def test_folder_is_listed_without_changing_it(
    make_bulk: MakeBulk, run_cli: RunCli, tmp_path: Path
) -> None:
    """All journals count, whatever their names; other files, and empty ones, stay as they are."""
    bulk = make_bulk(FakeBatchApi())
    bulk.go(rows(2), job=tmp_path / "spring.journal")
    bulk.go(rows(3), job=tmp_path / "b.db", deadline=0)
    Journal(tmp_path / "c.db").close()
    for name, content in (("empty.db", b""), ("x.db", b"not a database" * 100)):
        (tmp_path / name).write_bytes(content)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = {each.name: (each.state, dict(each.recipients)) for each in list_jobs(tmp_path)}
    assert {
        "spring.journal": ("done", {"accepted": 2}),
        "b.db": ("open", {"planned": 3}),
        "c.db": ("reading", {}),
    } == found
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, _ = run_cli("bulk", "list", str(tmp_path))
    assert (0, 3) == (code, len(out.splitlines()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "postgresql://h/db"], "the address needs a name"),
        (["report", f"postgresql://u:{SECRET}@h/db?job=a%20b"], "the address needs a name"),
        (["report", f"mysql://u:{SECRET}@h/db?job=a"], "only PostgreSQL"),
        (["report", f"postgresql://u:{SECRET}@h:port/db?job=a"], "not a valid address"),
        (["init", "folder"], "must be the address of a database"),
        (["list", f"mysql://u:{SECRET}@h/db"], "only PostgreSQL"),
        (["list", f"postgresql://u:{SECRET}@127.0.0.1:9/db"], "database db: cannot be reached"),
        (["init", f"postgresql://u:{SECRET}@127.0.0.1:9/db"], "database db: cannot be reached"),
        (["report", f"postgresql://u:{SECRET}@127.0.0.1:9/db?job=a"], "journal a: cannot be"),
    ],
)
def test_wrong_address_is_one_line(run_cli: RunCli, words: list[str], said: str) -> None:
    """Nothing of an address is quoted: it may contain a password."""
    code, out, err = run_cli("bulk", *words)
    assert (True, "", 1) == (code in {1, 2}, out, len(err.splitlines()))
    assert (True, False) == (said in err, SECRET in err)


def test_address_shows_no_secret() -> None:
    """Neither its text nor its repr has a password, wherever it stood."""
    address = f"postgresql://u:{SECRET}@h:1/db?sslmode=require&password={SECRET}&job=spring"
    job = JobURL.read(address)
    assert "postgresql://u@h:1/db?job=spring&sslmode=require" == str(job)
    assert "JobURL(name='spring')" == repr(job)
    with pytest.raises(BulkArgumentError, match="the address needs a name"):
        ListURL.read(address)
