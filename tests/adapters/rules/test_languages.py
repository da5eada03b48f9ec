"""The basics of German, Dutch, French and Spanish, and silence in every other tongue."""

from datetime import date

import pytest

from tests.adapters.rules.briefs import only, titles


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Könntest du bitte den Header anpassen?", "Den Header anpassen"),
        ("Bitte den Footer aktualisieren", "Den Footer aktualisieren"),
        ("Wir müssen noch die Übersetzungen prüfen", "Die Übersetzungen prüfen"),
        ("Kun je de footer aanpassen?", "De footer aanpassen"),
        ("We moeten de vertalingen controleren", "De vertalingen controleren"),
        ("Peux-tu mettre à jour le logo, s'il te plaît ?", "Mettre à jour le logo"),
        ("Merci de corriger la page d'accueil", "Corriger la page d'accueil"),
        ("¿Puedes actualizar el logo por favor?", "Actualizar el logo"),
        ("Tenemos que enviar la factura", "Enviar la factura"),
        ("TODO: Übersetzungen prüfen", "Übersetzungen prüfen"),
    ],
)
def test_polite_requests(text: str, title: str) -> None:
    """A polite request is a task in the words of its language."""
    assert titles(("Cat", text)) == [title]


@pytest.mark.parametrize(
    "text",
    [
        "Kannst du mir das erklären?",
        "Kun je mij helpen?",
        "Peux-tu m'expliquer pourquoi ?",
        "¿Puedes decirme la hora?",
        "Bitte nicht ändern",
        "Bitte schön",
        "Guten Morgen zusammen",
        "昨日は天気が良かったですね。",
        "صباح الخير للجميع",
    ],
)
def test_talk(text: str) -> None:
    """Questions, prohibitions and greetings are none."""
    assert titles(("Cat", text)) == []


def test_iso_day() -> None:
    """A day is understood in each language."""
    task = only(("Cat", "Könntest du bitte bis 2026-04-01 den Header anpassen?"))
    assert (task.title, task.due_date) == ("Den Header anpassen", date(2026, 4, 1))


@pytest.mark.parametrize(
    ("report", "promise"),
    [
        ("Der Import bricht bei Umlauten ab", "ich schau mir das heute an"),
        ("Der Export ist kaputt", "ok, mach ich"),
        ("De facturen zijn dubbel verstuurd", "ik zoek het vandaag uit"),
        ("Le certificat expire vendredi", "je m'en occupe demain"),
        ("El botón de pagar no funciona", "lo reviso ahora"),
    ],
)
def test_a_report_that_somebody_takes(report: str, promise: str) -> None:
    """What is reported broken is work of who takes it on, in their language."""
    assert only(("Ann", report), ("Bob", promise)).assignee == "Bob"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [("Kun je het logo kleiner maken?", "is goed"), ("Peux-tu aligner les deux blocs ?", "d'accord")],
)
def test_a_yes_takes_the_request(request_: str, answer: str) -> None:
    """A yes is one in every language."""
    assert only(("Ann", request_), ("Bob", answer)).assignee == "Bob"


@pytest.mark.parametrize(
    "answer",
    [
        "laat maar",
        "laisse tomber",
        "ist schon erledigt",
        pytest.param(
            "ya lo hizo Pablo",
            marks=pytest.mark.xfail(strict=True, reason="known limit: the analyst takes it for a yes"),
        ),
    ],
)
def test_called_off_in_other_languages(answer: str) -> None:
    """What is called off or done already is no work."""
    assert titles(("Ann", "Please update the docs"), ("Bob", answer)) == []
