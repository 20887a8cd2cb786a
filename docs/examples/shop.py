"""A shop that shows its Instagram posts on its front page: flask --app docs/examples/shop.py run

With IGFEED_DEMO=1 it shows the sample account.
"""

from collections.abc import Mapping

from flask import Flask, render_template_string
from werkzeug.middleware.proxy_fix import ProxyFix

from igfeed import IgFeed

HOME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Nord Prints</title>
<link rel="alternate" type="application/atom+xml" href="{{ url_for("igfeed.atom") }}">
<style>
  body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: #f6f1e7; color: #2c2a26 }
  body { font: 1.1rem/1.6 Georgia, serif }
  a { color: inherit }
</style>
<h1>Nord Prints</h1>
<p>Screen prints, made by hand in small editions.</p>
<h2>From the studio</h2>
{{ igfeed(limit=6, columns=3, gap=12, radius=6) }}
<p><a href="{{ url_for("igfeed.page") }}">All posts</a></p>
"""


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(config or {})
    # One proxy before the app says by which scheme, host and prefix visitors come.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1, x_prefix=1)
    IgFeed(app, url_prefix="/instagram")

    @app.get("/")
    def home() -> str:
        return render_template_string(HOME)

    return app
