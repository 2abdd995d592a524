"""What lines are called among which a person chooses."""

from bot.chat.questions.choices import name_choices
from bot.chat.registry import installed_commands
from tests.rows import each_row

COMMANDS = installed_commands()


@each_row(
    "line, name",
    [
        ("/order late", "Late orders"),
        ("/invoice overdue", "Overdue invoices"),
        ("/bill", "Newest bills"),
        ("/bill ACME", "Bills: ACME"),
        ("/order late ACME", "Late orders: ACME"),
        ("/订单 延期", "Late orders"),
        ("/order this week", "Orders: this week"),
        ("/order this week >1000", ""),
        ("/stock SKU123", ""),
        ("/foo bar", ""),
    ],
)
def test_a_line_is_called_what_it_lists(line: str, name: str) -> None:
    (choice,) = name_choices([line], COMMANDS)
    assert (choice.line, str(choice.name)) == (line, name)
