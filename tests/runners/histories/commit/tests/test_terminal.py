import pytest

from till import terminal


def test_card_is_charged():
    # Waits 100 ms for a terminal that needs 60 ms on average, but now and then more.
    assert terminal.pay(1730) == {"paid": 1730}


def test_patient_till_waits_longer(monkeypatch):
    monkeypatch.setattr(terminal, "ANSWERS_AFTER", 0.001)
    assert terminal.pay(1730, deadline=5) == {"paid": 1730}


def test_silent_terminal_is_given_up(monkeypatch):
    monkeypatch.setattr(terminal, "ANSWERS_AFTER", 1e9)
    with pytest.raises(terminal.TerminalTimeout):
        terminal.pay(1730, deadline=0.001)


@pytest.mark.parametrize("cents", [1, 99_999])
def test_any_amount_is_charged(monkeypatch, cents):
    monkeypatch.setattr(terminal, "ANSWERS_AFTER", 0.001)
    assert terminal.pay(cents, deadline=5) == {"paid": cents}
