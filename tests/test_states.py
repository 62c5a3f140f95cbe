"""The tables of legal transitions."""

import itertools

from cloudml_magic.states import DEPLOYMENT_TRANSITIONS, TRANSITIONS, DeploymentState, JobState, may_follow


def test_a_job_ends_succeeded_failed_or_cancelled_and_nothing_follows() -> None:
    """Exactly three states are final."""
    final = {state for state in JobState if state.is_final}
    assert final == {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
    assert not any(may_follow(before, after) for before, after in itertools.product(final, JobState))


def test_every_state_is_reached_from_queued_and_reaches_an_end() -> None:
    """No state is an island and none is a trap."""

    def reachable(state: JobState) -> set[JobState]:
        found, waiting = set(), [state]
        while waiting:
            for following in TRANSITIONS[waiting.pop()] - found:
                found.add(following)
                waiting.append(following)
        return found

    assert reachable(JobState.QUEUED) == set(JobState) - {JobState.QUEUED}
    assert all(state.is_final or any(end.is_final for end in reachable(state)) for state in JobState)


def test_a_job_does_not_succeed_without_running() -> None:
    """There is no way around RUNNING to SUCCEEDED, and a cancelled job was never a success."""
    assert [before for before in JobState if may_follow(before, JobState.SUCCEEDED)] == [JobState.RUNNING]
    assert TRANSITIONS[JobState.CANCELLING] == {JobState.CANCELLED}


def test_a_deployed_model_ends_only_when_it_is_undeployed() -> None:
    """STOPPED alone is final, every state can get there, and a process that sleeps, failed or serves can come back."""
    assert [state for state in DeploymentState if not DEPLOYMENT_TRANSITIONS[state]] == [DeploymentState.STOPPED]
    lasting = set(DeploymentState) - {DeploymentState.STOPPING, DeploymentState.STOPPED}
    assert all(DeploymentState.STOPPING in DEPLOYMENT_TRANSITIONS[state] for state in lasting)
    assert DEPLOYMENT_TRANSITIONS[DeploymentState.STOPPING] == {DeploymentState.STOPPED}
    before_ready = [state for state in DeploymentState if DeploymentState.READY in DEPLOYMENT_TRANSITIONS[state]]
    assert before_ready == [DeploymentState.STARTING]
    for state in (DeploymentState.ASLEEP, DeploymentState.FAILED):
        assert DeploymentState.STARTING in DEPLOYMENT_TRANSITIONS[state]
