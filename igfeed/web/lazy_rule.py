"""A routing rule that compiles its address builders when the first address is built.

Werkzeug compiles two functions for each rule while the app is made. For all rules that takes 8 ms, and a process for
visitors builds addresses of few of them.
"""

from collections.abc import Callable

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LazyRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Builder:  # noqa: FBT001, FBT002  as Werkzeug has it
        compile_builder = super()._compile_builder
        compiled: Builder | None = None

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            nonlocal compiled
            compiled = compiled or compile_builder(append_unknown)
            return compiled(rule, **values)

        return build
