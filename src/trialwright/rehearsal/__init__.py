"""A whole trial with virtual participants, through the same commands as the real one."""

from trialwright.rehearsal.known import Known
from trialwright.rehearsal.rehearse import START, Rehearsed, Wishes, rehearse
from trialwright.rehearsal.summary import summary

__all__ = ["START", "Known", "Rehearsed", "Wishes", "rehearse", "summary"]
