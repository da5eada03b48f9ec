"""Starts the sandbox: `python -m discubot_pipeline.sandbox --port 8010 --link "Dagster UI=http://127.0.0.1:3000"`."""

import argparse

import uvicorn

from discubot_pipeline.sandbox.app import create_app


def main() -> None:
    """Serve until interrupted."""
    options = _options()
    app = create_app(options.base_url or f"http://{options.host}:{options.port}", dict(options.link))
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m discubot_pipeline.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--base-url", help="address that pages link to, when it is not host and port")
    parser.add_argument(
        "--link", action="append", type=_link, default=[], metavar="NAME=URL", help="a link in the header"
    )
    return parser.parse_args()


def _link(text: str) -> tuple[str, str]:
    name, found, url = text.partition("=")
    if not found or not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL with an http address")
    return name, url


if __name__ == "__main__":
    main()
