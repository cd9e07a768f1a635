"""Others can rely on what was released: a suite that is run on the contract of one service.

When a test here fails, an integration event has changed. Do not edit the corpus: the message says
what to do, and docs/how-to/change-an-integration-event.md shows how.
"""

import json

from jsonschema import Draft7Validator

from application.integration_events import IntegrationEvent
from tests.contracts.contract_corpus import ContractCorpus, data_of, refusal

__all__ = [
    "test_a_sample_has_the_form_that_is_promised",
    "test_data_of_every_released_form_can_still_be_read",
    "test_every_version_is_released_or_retired",
    "test_no_released_form_is_broken",
    "test_what_is_declared_is_frozen",
]


def test_no_released_form_is_broken(corpus: ContractCorpus, event: type[IntegrationEvent]) -> None:
    """A change that others would have to follow needs a new version."""
    form = corpus.declared[event]
    problems = corpus.breaks(form)

    assert not problems, refusal(form, problems)


def test_what_is_declared_is_frozen(corpus: ContractCorpus, event: type[IntegrationEvent]) -> None:
    """Also a change that breaks nothing is released: from then on, it may be relied on, too."""
    form = corpus.declared[event]
    frozen = [released.text for _, released in corpus.forms(form)]

    assert form.text in frozen[-1:], (
        f"{form} has a new form: release it by python -m {corpus.module}"
    )


def test_a_sample_has_the_form_that_is_promised(
    corpus: ContractCorpus, event: type[IntegrationEvent]
) -> None:
    """What is written today is valid by its schema, and is the newest frozen data to the byte."""
    form, sample = corpus.declared[event], corpus.sample(event)
    frozen = [data_of(file).read_bytes() for file, _ in corpus.forms(form)]

    Draft7Validator(form.data).validate(json.loads(sample))
    assert sample in frozen[-1:], f"{form}: what is written today is not what is frozen"


def test_data_of_every_released_form_can_still_be_read(
    corpus: ContractCorpus, event: type[IntegrationEvent]
) -> None:
    """By the class of today, and by its schema."""
    form = corpus.declared[event]
    for file, _ in corpus.forms(form):
        data = data_of(file).read_bytes()

        event.model_validate_json(data)
        Draft7Validator(form.data).validate(json.loads(data))


def test_every_version_is_released_or_retired(corpus: ContractCorpus) -> None:
    """No version vanishes silently, and none that was retired comes back with another meaning."""
    declared = {(form.direction, form.name, form.version) for form in corpus.declared.values()}
    gone = {f"{name}.v{version}" for _, name, version in corpus.released - declared}
    silently, back = sorted(gone - {*corpus.retired}), sorted({*corpus.retired} - gone)

    assert not silently, (
        f"{', '.join(silently)} was released, and is not declared: once nobody relies on it, name "
        f"it in `retired` of {corpus.module}, with the reason"
    )
    assert not back, f"{', '.join(back)} is retired: what comes back is a new version"
