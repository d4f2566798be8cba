"""Enrolment: the one call that needs no token."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from sync.central import enrolment
from sync.central.api.asking import NOT_STORED, ThePlatform, problems
from sync.contract.described import ENROLMENT
from sync.contract.messages import PROBLEM_CODE_INVALID, PROBLEM_INVALID, PROBLEM_TOO_LARGE, Enrolled, EnrolRequest


@post(
    "/edge/v1/enrolments",
    responses=problems(PROBLEM_INVALID, PROBLEM_CODE_INVALID, PROBLEM_TOO_LARGE),
    security=[{}],
    response_headers=[NOT_STORED],
    tags=["enrolment"],
    response_description="Who the device is now, and its token",
    summary="Make a device a register",
    description=ENROLMENT,
)
async def enrol(platform: ThePlatform, data: JSONBody[EnrolRequest]) -> Enrolled:
    """A single-use code and proof that the device holds its key buy a register, its next epoch and a bearer token; earlier ones of the register retire."""
    return await platform.writer.run(lambda transaction: enrolment.enrol(transaction, platform.random, platform.tenant, data))
