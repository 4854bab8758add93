"""The registry: versions, lists, isolation, what is accepted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core_lib.db import AppFact, ClientCmdb, ClientFact, Cmdb, PortfolioFact, ZoneFact
from core_lib.framework.errors import ConflictError, InputError, IsolationError, NotFoundError


def test_fact_when_stored_then_it_comes_back_with_keys_of_its_own(acme: ClientCmdb) -> None:
    given = {"Portfolio": "payments", "Owner": {"Name": "Ada"}, "OurOwnKey": {"deep": [1, "2", None]}, "Tags": {"A": "b"}}
    stored = acme.registry.put(PortfolioFact.model_validate(given))
    assert stored.record_version == 1
    assert stored.etag == '"1"'
    assert acme.registry.get(PortfolioFact, "payments").facts() == given


def test_fact_when_one_field_is_replaced_then_the_others_stay_as_they_were_given() -> None:
    fact = PortfolioFact.model_validate({"Portfolio": "payments", "Our+Key": [1], "RecordVersion": 3})
    changed = fact.but(category="a")
    assert changed.record() == {"Portfolio": "payments", "Our+Key": [1], "Category": "a"}
    assert changed.record_version == 3


def test_fact_when_changed_by_somebody_else_then_the_later_writer_is_refused(acme: ClientCmdb) -> None:
    first = acme.registry.put(PortfolioFact(portfolio="payments"))
    acme.registry.put(first.but(category="a"))
    with pytest.raises(ConflictError, match="version 2 is stored"):
        acme.registry.put(first.but(category="b"))
    assert acme.registry.get(PortfolioFact, "payments").category == "a"


def test_fact_when_new_but_already_there_then_it_is_refused(acme: ClientCmdb) -> None:
    acme.registry.put(ZoneFact(zone="prod", tags={"A": "1"}))
    with pytest.raises(ConflictError):
        acme.registry.put(ZoneFact(zone="prod"))


def test_fact_when_deleted_meanwhile_then_an_update_is_refused(acme: ClientCmdb) -> None:
    stored = acme.registry.put(ZoneFact(zone="prod"))
    acme.registry.delete(ZoneFact, "prod")
    with pytest.raises(ConflictError, match="deleted"):
        acme.registry.put(stored)


def test_upsert_when_nothing_differs_then_nothing_is_written(acme: ClientCmdb) -> None:
    fact = AppFact(portfolio="payments", app="ledger", zone="prod")
    assert acme.registry.upsert(fact)[1] is True
    again, changed = acme.registry.upsert(fact)
    assert (again.record_version, changed) == (1, False)
    assert acme.registry.upsert(fact.but(zone="test"))[0].record_version == 2


def test_delete_when_the_version_is_old_then_it_is_refused(acme: ClientCmdb) -> None:
    first = acme.registry.put(ZoneFact(zone="prod"))
    acme.registry.put(first.but(tags={"A": "1"}))
    with pytest.raises(ConflictError):
        acme.registry.delete(ZoneFact, "prod", version=1)
    acme.registry.delete(ZoneFact, "prod", version=2)
    acme.registry.delete(ZoneFact, "prod", version=2)
    assert acme.registry.find(ZoneFact, "prod") is None


def test_delete_when_the_portfolio_still_has_apps_then_it_stays(acme: ClientCmdb) -> None:
    acme.registry.put(PortfolioFact(portfolio="payments"))
    acme.registry.put(AppFact(portfolio="payments", app="ledger"))
    with pytest.raises(ConflictError, match="still has apps"):
        acme.registry.delete(PortfolioFact, "payments")


def test_list_when_there_are_many_then_pages_come_in_order_of_names(acme: ClientCmdb) -> None:
    for name in ("c", "a", "b"):
        acme.registry.put(AppFact(portfolio="payments", app=name))
    acme.registry.put(AppFact(portfolio="other", app="z"))
    page = acme.registry.list(AppFact, "payments", limit=2)
    rest = acme.registry.list(AppFact, "payments", limit=2, cursor=page.cursor)
    assert [fact.app for fact in (*page.items, *rest.items)] == ["a", "b", "c"]
    assert [fact.app for fact in acme.registry.all(AppFact, "payments")] == ["a", "b", "c"]


def test_record_when_missing_then_the_error_names_known_ones(acme: ClientCmdb) -> None:
    acme.registry.put(ZoneFact(zone="prod"))
    with pytest.raises(NotFoundError, match="known: prod"):
        acme.registry.get(ZoneFact, "test")


def test_record_when_named_with_too_few_names_then_it_is_an_error(acme: ClientCmdb) -> None:
    with pytest.raises(InputError, match="2 names"):
        acme.registry.get(AppFact, "payments")


def test_client_record_when_it_is_another_clients_then_isolation_refuses(cmdb: Cmdb, acme: ClientCmdb) -> None:
    cmdb.create_tables("other")
    cmdb.for_client("other").registry.put(ClientFact(client="other"))
    for reach in (
        lambda: acme.registry.get(ClientFact, "other"),
        lambda: acme.registry.put(ClientFact(client="other", record_version=1)),
        lambda: acme.registry.delete(ClientFact, "other"),
    ):
        with pytest.raises(IsolationError):
            reach()
    assert acme.registry.list(ClientFact).items == ()


def test_clients_when_listed_then_all_are_there(cmdb: Cmdb) -> None:
    cmdb.for_client("acme").registry.put(ClientFact(client="acme", domain="acme.example"))
    assert [fact.client for fact in cmdb.clients.list().items] == ["acme"]
    assert cmdb.clients.get("acme").domain == "acme.example"
    with pytest.raises(NotFoundError, match="known: acme"):
        cmdb.clients.get("other")


def test_client_secret_when_given_in_clear_then_only_its_hash_is_kept(acme: ClientCmdb) -> None:
    stored = acme.registry.put(ClientFact(client="acme", client_secret="hush"))
    assert stored.client_secret
    assert stored.client_secret.startswith("sha256:")
    assert acme.registry.get(ClientFact).client_secret == stored.client_secret
    assert "hush" not in repr(stored)
    assert stored.but(domain="x").client_secret == stored.client_secret


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ClientFact, {"Client": "a/b"}),
        (ClientFact, {"Client": "acme", "AuditAccount": "123"}),
        (AppFact, {"Portfolio": "p", "App": "a", "AppRegex": "("}),
        (AppFact, {"Portfolio": "p", "App": "a", "PrnPattern": "p:a"}),
        (ZoneFact, {"Zone": "z", "RegionFacts": {"x": {"AzCount": 0}}}),
        (PortfolioFact, {"Portfolio": "p", "LifecycleStatus": "Old"}),
    ],
)
def test_fact_when_a_known_field_is_wrong_then_it_is_refused(kind: type[ClientFact], values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(values)
