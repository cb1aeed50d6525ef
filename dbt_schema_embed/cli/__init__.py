"""Room: click commands; each is options -> Settings -> one pipeline call -> print -> exit code."""


def main() -> None:
    """Run the command line."""
