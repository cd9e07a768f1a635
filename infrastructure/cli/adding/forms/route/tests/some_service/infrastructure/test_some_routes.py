"""The routes of ``/some-routes``, in memory."""

# for each test module
from some_module import (
    SomeName,  # for each name
)
# end for
from infrastructure.container import in_memory
from infrastructure.some_service.program import PROGRAM
from tests.client import Client, serving
from some_histories_module import SOME_HISTORIES  # if commands

# if commands
PATHS = {
    SomeCommand: "some-command",  # for each command
}


async def test_a_life_over_http() -> None:
    """Each command of an example is carried out, and the queries show what came of them."""
    life = SOME_HISTORIES.examples["some_aggregate"][0]
    async with serving(Client, in_memory(PROGRAM, PROGRAM.settings())) as client:
        for command in life:
            path = f"/some-routes/a-1/{PATHS[type(command)]}"
            answer = await client.post(path, command.model_dump(mode="json"))
            assert answer.status_code == 200, answer.text
        assert (await client.get("/some-routes/a-1")).status_code == 200  # if reads
        assert (await client.get("/some-routes")).status_code == 200  # if lists
# end if


# if reads
async def test_what_is_not_known_is_not_found() -> None:
    """The answer is 404, with the reason."""
    async with serving(Client, in_memory(PROGRAM, PROGRAM.settings())) as client:
        answer = await client.get("/some-routes/no-such-id")
        assert (answer.status_code, answer.json()["detail"]) == (
            404,
            "nothing is known of no-such-id",
        )
# end if
