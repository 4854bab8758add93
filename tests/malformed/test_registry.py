"""Registry files that break their schema, and requests for which the registry has no answer, or too many."""

from __future__ import annotations

from core_lib.framework.models import DeploymentDetails
from tests.malformed import doors
from tests.malformed.case import Case, cases, refusal

FILES = (
    Case("empty", "CORE-1004", "nothing here", ""),
    Case("a-list", "CORE-1004", "must be a map", "- Client: acme"),
    Case("section-mistyped", "CORE-1004", "did you mean Portfolios", "Portfolio: []"),
    Case("section-a-map", "CORE-1004", "must be a list", "Apps: {Portfolio: shop, App: web}"),
    Case("client-a-text", "CORE-1004", "must be a map", "Client: acme"),
    Case("client-without-name", "CORE-1004", "Client: is missing", "Client: {Domain: example.com}"),
    Case("client-name-with-a-slash", "CORE-1004", "not valid", "Client: {Client: acme/prod}"),
    Case("client-account-too-short", "CORE-1004", "must match", "Client: {Client: acme, AuditAccount: '123'}"),
    Case("client-account-in-foreign-digits", "CORE-1004", "must match",
         "Client: {Client: acme, AuditAccount: '\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661'}"),
    Case("tags-a-list", "CORE-1004", "must be a map", "Client: {Client: acme, Tags: [a]}"),
    Case("tag-value-a-map", "CORE-1004", "must be text", "Client: {Client: acme, Tags: {a: {b: c}}}"),
    Case("version-negative", "CORE-1004", "greater than or equal to 0", "Client: {Client: acme, RecordVersion: -1}"),
    Case("portfolio-without-name", "CORE-1004", "Portfolio: is missing", "Portfolios: [{Name: Shop}]"),
    Case("portfolio-name-empty", "CORE-1004", "segment ''", "Portfolios: [{Portfolio: ''}]"),
    Case("portfolio-status-unknown", "CORE-1004", "did you mean Active", "Portfolios: [{Portfolio: a, LifecycleStatus: Activ}]"),
    Case("app-without-portfolio", "CORE-1004", "Portfolio: is missing", "Apps: [{App: web}]"),
    Case("app-pattern-without-prn", "CORE-1004", "a pattern is a PRN", "Apps: [{Portfolio: a, App: b, PrnPattern: 'a:*'}]"),
    Case("app-pattern-too-deep", "CORE-1004", "a pattern is a PRN",
         "Apps: [{Portfolio: a, App: b, PrnPattern: 'prn:a:b:c:d:e:f:g'}]"),
    Case("app-pattern-half-a-wildcard", "CORE-1004", "stands for a whole segment",
         "Apps: [{Portfolio: a, App: b, PrnPattern: 'prn:a:web-*'}]"),
    Case("app-regex-unclosed", "CORE-1004", "not a regular expression", "Apps: [{Portfolio: a, App: b, AppRegex: '('}]"),
    Case("app-account-a-name", "CORE-1004", "must match", "Apps: [{Portfolio: a, App: b, Account: audit}]"),
    Case("zone-without-name", "CORE-1004", "Zone: is missing", "Zones: [{AccountFacts: {}}]"),
    Case("zone-regions-a-list", "CORE-1004", "must be a map", "Zones: [{Zone: a, RegionFacts: [eu-west-1]}]"),
    Case("zone-account-half", "CORE-1004", "must match", "Zones: [{Zone: a, AccountFacts: {AwsAccountId: '1111'}}]"),
    Case("zone-too-many-zones", "CORE-1004", "less than or equal to 6", "Zones: [{Zone: a, RegionFacts: {b: {AzCount: 60}}}]"),
    Case("zone-proxy-port", "CORE-1004", "65535", "Zones: [{Zone: a, RegionFacts: {b: {ProxyPort: 70000}}}]"),
    Case("zone-alias-type-unknown", "CORE-1004", "did you mean cidr",
         "Zones: [{Zone: a, RegionFacts: {b: {SecurityAliases: {x: [{Type: cidrs, Value: y}]}}}}]"),
    Case("account-without-id", "CORE-1004", "Id: is missing", "Accounts: [{Name: audit}]"),
    Case("account-id-of-eleven", "CORE-1004", "must match", "Accounts: [{Id: '11111111111', Name: audit}]"),
    Case("account-id-without-quotes-and-zero", "CORE-1004", "put it in quotes", "Accounts: [{Id: 1111, Name: audit}]"),
    Case("account-id-with-a-line-end", "CORE-1004", "must match", 'Accounts: [{Id: "111111111111\\n", Name: audit}]'),
    Case("account-state-unknown", "CORE-1004", "did you mean suspended",
         "Accounts: [{Id: '111111111111', Name: a, State: suspendet}]"),
    Case("account-key-mistyped", "CORE-1004", "did you mean OrganizationalUnit",
         "Accounts: [{Id: '111111111111', Name: a, OrganisationalUnit: /}]"),
    Case("account-regions-a-text", "CORE-1004", "must be a list",
         "Accounts: [{Id: '111111111111', Name: a, Regions: eu-west-1}]"),
    Case("five-faults-at-once", "CORE-1004", "5 faults",
         "Client: {}\nPortfolios: [{}]\nApps: [{}]\nAccounts: [{Name: a}]"),
)  # fmt: skip


@cases(*FILES)
def test_registry_when_it_breaks_its_schema_then_it_is_refused_with_its_line(case: Case) -> None:
    error = refusal(lambda: doors.registry(case.given), case)
    assert str(error.where).startswith("registry.yaml")


def deployment(portfolio: str = "shop", app: str | None = "web", branch: str = "main") -> DeploymentDetails:
    return DeploymentDetails(portfolio=portfolio, app=app, branch=branch if app else None, build="7" if app else None)


HEAD = "Client: {Client: acme}\nPortfolios: [{Portfolio: shop}]\n"
QUESTIONS = (
    Case("no-client", "CORE-3001", "no client", "Portfolios: [{Portfolio: shop}]"),
    Case("no-portfolio", "CORE-3001", "known: shop", HEAD, deployment("shp")),
    Case("no-apps-at-all", "CORE-3001", "has no apps yet", HEAD),
    Case("no-app-fits", "CORE-3001", "tried: api", HEAD + "Apps: [{Portfolio: shop, App: api}]"),
    Case("two-apps-fit", "CORE-3003", "a (prn:shop:*), b (prn:*:web)",
         HEAD + "Apps: [{Portfolio: shop, App: a, PrnPattern: 'prn:shop:*'}, "
         "{Portfolio: shop, App: b, PrnPattern: 'prn:*:web'}]"),
    Case("the-same-app-twice", "CORE-3003", "more than one app fits",
         HEAD + "Apps: [{Portfolio: shop, App: web}, {Portfolio: shop, App: web}]"),
    Case("no-such-zone", "CORE-3001", "known: none", HEAD + "Apps: [{Portfolio: shop, App: web, Zone: home}]"),
    Case("no-such-region", "CORE-3001", "its regions: ireland",
         HEAD + "Zones: [{Zone: home, RegionFacts: {ireland: {AwsRegion: eu-west-1}}}]\n"
         "Apps: [{Portfolio: shop, App: web, Zone: home, Region: irland}]"),
    Case("regex-bomb", "CORE-3000", "takes longer",
         HEAD + "Apps: [{Portfolio: shop, App: web, AppRegex: 'prn:shop:(a|aa)+!'}]",
         deployment("shop", "a" * 120)),
)  # fmt: skip


@cases(*QUESTIONS)
def test_facts_when_the_registry_has_no_single_answer_then_the_candidates_are_named(case: Case) -> None:
    file = doors.registry(case.given)
    request = doors.request().but(deployment_details=case.more or deployment())
    refusal(lambda: file.facts(request), case)
