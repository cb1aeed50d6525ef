"""The process behind driver.py: a JSON request a line on stdin, a JSON answer a line on stdout."""

import contextlib
import io
import json
import os
import sys

from dbt.cli.main import dbtRunner


def main() -> None:
    answers = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        if request is None:
            return
        os.chdir(request["cwd"])
        os.environ.update(request["env"] | {"DBT_PROFILES_DIR": request["cwd"]})
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            result = dbtRunner().invoke(request["args"])
        for name in request["env"]:
            del os.environ[name]
        raised = f"\n{result.exception}" if result.exception else ""
        print(json.dumps({"ok": result.success, "output": printed.getvalue() + raised}), file=answers, flush=True)


if __name__ == "__main__":
    main()
