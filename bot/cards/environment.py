"""The Jinja2 environments of cards: strict, escaping for markdown, one for each language and time zone.

Jinja2 escapes for HTML. The code it generates gets our `Markdown`, `escape` and join instead, so that escaping cannot
be forgotten in ``{{ }}``, ``~``, macros, ``{% set %}`` blocks or translations, and cannot be switched off either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from keyword import iskeyword
from typing import Any, NoReturn, TypeAlias

from jinja2 import BaseLoader, Environment, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from jinja2.runtime import Context, Macro

from bot.cards.escape import Markdown
from bot.cards.filters import MARKDOWN_FILTERS, filters
from bot.cards.layout import EMPTY_MARK
from bot.cards.presenter import Presenter
from bot.cards.view import View

MACROS = "_macros.md.j2"
Blocks: TypeAlias = dict[str, list[Callable[[Context], Iterator[str]]]]
"""What renders each block, and what it stands in place of."""
_TAIL = """
from bot.cards.escape import Markdown as Markup
from bot.cards.environment import CardMacro as Macro
escape = environment.presenter.present
markup_join = environment.join
"""


class CardMacro(Macro):
    """A macro whose result counts as markdown."""

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Expand the macro; with all its arguments in their places, as nearly always, without sorting them first."""
        if kwargs or len(args) != self._argument_count or self.caller or self.catch_kwargs or self.catch_varargs:
            return super().__call__(*args, **kwargs)
        return Markdown(self._func(*args))

    def _invoke(self, arguments: list[Any], autoescape: bool) -> str:
        return Markdown(self._func(*arguments))


class _BlockContext(Context):
    """What the blocks of a template see, where what another block stands for counts as markdown."""

    def super(self, name: str, current: Callable[[Context], Iterator[str]]) -> Any:
        """Return what gives the block that ``current`` stands in place of."""
        others = self.blocks[name]
        after = others[others.index(current) + 1 :]
        if not after:
            return self.environment.undefined(f"no template before has the block {name!r}", name="super")
        return lambda: Markdown(self.environment.concat(after[0](self)).rstrip("\n"))


class _CardCode(CodeGenerator):
    """Also leaves out what cards don't need: a card of three warehouses takes half the time of Jinja2's own code."""

    environment: CardEnvironment

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        # Jinja2 would escape constants for HTML while compiling; only the template's own text is constant here,
        # and its words, since an environment has one language.
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        if (msgid := _fixed_message(node)) is not None:
            return self.environment.presenter.fixed[msgid]
        raise nodes.Impossible

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        if (msgid := _fixed_message(node)) is not None:
            self.write(f"environment.presenter.fixed[{msgid!r}]")
        elif self.environment.sandboxed or forward_caller or not _is_plain(node):
            super().visit_Call(node, frame, forward_caller=forward_caller)
        else:
            # Jinja2 looks at every call for functions that want its context; templates here know none.
            self.visit(node.node, frame)
            self.write("(")
            for argument in (*node.args, *node.kwargs):
                self.visit(argument, frame)
                self.write(", ")
            self.write(")")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        if self.environment.sandboxed or iskeyword(node.attr):
            super().visit_Getattr(node, frame)
        else:
            # Views have attributes and no items; a missing one raises here as it would where it is written.
            self.write("(")
            self.visit(node.node, frame)
            self.write(f").{node.attr}")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if self._gives_markdown(node, frame):
            self.write("(")  # escaped already
        else:
            super()._output_child_pre(node, frame, finalize)

    def _gives_markdown(self, node: nodes.Expr, frame: Frame) -> bool:
        """Whether a filter of ours gives it, or a macro that every card knows and no name of the template covers."""
        match node:
            case nodes.Filter(name=name):
                return name in MARKDOWN_FILTERS
            case nodes.Call(node=nodes.Name(name=name)) if not self.environment.sandboxed:
                reference = frame.symbols.find_ref(name)
                loaded = frame.symbols.loads.get(reference) if reference else None
                return loaded == (VAR_LOAD_RESOLVE, name) and isinstance(self.environment.globals.get(name), CardMacro)
        return False

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """Visit the nodes of a block, whose pieces come together in a list, as a macro's do.

        Jinja2's own blocks yield each piece. The sandbox keeps that: it counts while a text grows.
        """
        gathered = frame.block_frame and frame.buffer is None and not self.environment.sandboxed
        if gathered:
            self.buffer(frame)
        super().blockvisit(nodes, frame)
        if gathered:
            self.writeline(f"yield concat({frame.buffer})")

    def visit_EvalContextModifier(self, node: nodes.EvalContextModifier, frame: Frame) -> NoReturn:  # noqa: N802
        self.fail("escaping cannot be switched off", node.lineno)

    def visit_ScopedEvalContextModifier(self, node: nodes.ScopedEvalContextModifier, frame: Frame) -> NoReturn:  # noqa: N802
        self.fail("escaping cannot be switched off", node.lineno)


def _fixed_message(node: nodes.Node) -> str | None:
    """Return the message id of ``_("…")`` without parameters."""
    match node:
        case nodes.Call(
            node=nodes.Name(name="_" | "gettext"), args=[nodes.Const(value=str(msgid))], kwargs=[], dyn_args=None
        ):
            return msgid
        case _:
            return None


def _is_plain(call: nodes.Call) -> bool:
    """Whether the arguments can be written as they are."""
    unpacked = call.dyn_args is not None or call.dyn_kwargs is not None
    return not unpacked and not any(iskeyword(argument.key) for argument in call.kwargs)


class CardEnvironment(Environment):
    """For templates that come with the program."""

    code_generator_class = _CardCode

    def __init__(self, loader: BaseLoader, presenter: Presenter) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
            auto_reload=False,
            cache_size=-1,
        )
        self.policies["ext.i18n.trimmed"] = True
        self.presenter = presenter
        self.filters = filters(presenter)
        language = presenter.language
        self.globals = {
            "_": presenter.gettext,
            "gettext": presenter.gettext,
            "ngettext": presenter.ngettext,
            "colon": Markdown(language.colon),
            "nothing": Markdown(EMPTY_MARK),
            "language": language.code,
        }
        self.newstyle_gettext = True

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        if not self.sandboxed:
            self._fill_in_constants(source)
        extended = [extends.template.as_const() for extends in source.find_all(nodes.Extends)]
        return f"{super()._generate(source, name, filename, defer_init)}{_TAIL}extended = {extended!r}\n"

    def _fill_in_constants(self, source: nodes.Template) -> None:
        """Write out the globals that are texts where a template shows them and gives their names to nothing else."""
        taken = {name.name for name in source.find_all(nodes.Name) if name.ctx != "load"}
        texts = {name: text for name, text in self.globals.items() if isinstance(text, Markdown) and name not in taken}
        for output in source.find_all(nodes.Output):
            output.nodes = [
                nodes.TemplateData(texts[node.name], lineno=node.lineno)
                if isinstance(node, nodes.Name) and node.name in texts
                else node
                for node in output.nodes
            ]

    def join(self, parts: Iterable[object]) -> Markdown:
        """Join the operands of ``~``."""
        return Markdown(self.concat(map(self.presenter.part, parts)))

    def adopt_macros(self, source: Environment) -> None:
        """Make the shared macros visible in every block: blocks rendered alone don't see a template's imports."""
        module = source.get_template(MACROS).module
        self.globals.update({name: macro for name, macro in vars(module).items() if isinstance(macro, Macro)})

    def blocks_of(self, name: str) -> Blocks:
        """Return the blocks of a template, each followed by those of the templates that it extends.

        Blocks are rendered one by one, which Jinja2 itself does not do for a template that extends another.
        """
        template = self.get_template(name)
        blocks = {block: [render] for block, render in template.blocks.items()}
        for extended in template.root_render_func.__globals__["extended"]:
            for block, others in self.blocks_of(extended).items():
                blocks.setdefault(block, []).extend(others)
        return blocks

    def context(self, name: str, blocks: Blocks, view: View) -> Context:
        """Return what the blocks of a template see; `Template.new_context` does the same at ten times the cost."""
        context = _BlockContext(self, {**self.globals, "view": view}, name, {})
        context.blocks = blocks
        return context
