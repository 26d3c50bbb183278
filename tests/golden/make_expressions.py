"""Makes what jinja2 writes for expressions that chat templates may use: chat/expressions.json.

The environment is the one of transformers' chat templates, its `tojson` included. Needs jinja2 alone.
"""
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = [
    r"{{ ['a\t', 'b\r', '\\'] }}", r"{{ {'k': 'a\'b'} }}", r"{{ 'a\b\f\u0001\\' | tojson }}", r"{{ 'a\r\t\n\"' | tojson }}",
    r"{{ '\x41\u00e9\u20ac' }}", r"{{ 'a\qb' }}", "{{ [1, [2]] == [1, [2]] }} {{ [1] == [2] }}",
    "{{ {'a': 1} == {'a': 1.0} }} {{ {'a': 1} == {'b': 1} }}", "{{ none == none }}",
    "{{ 7.5 // 2 }} {{ -7 % 3 }} {{ 7.5 % 2 }}", "{{ [1, 2] * 2 }} {{ 2 * [3] }} {{ 2 * 'ab' }}",
    "{{ '12'.isdigit() }} {{ ''.isdigit() }} {{ ' '.isspace() }}",
    "{{ 'a-b-c'.rsplit('-', 1) }} {{ 'abab'.rfind('b') }}",
    "{{ 'abc'.removesuffix('c') }} {{ 'abc'.removesuffix('x') }} {{ 'abc'.removeprefix('a') }}",
    "{{ -2 | abs }} {{ [] }}", "{{ {}.items() | list }} {{ [1, 2, 3][-1] }} {{ [1, 2, 3][::2] }} {{ 'abc'[::-1] }}",
    "{{ 'a' in 'abc' }} {{ 'x' not in ['a'] }} {{ 'k' in {'k': 1} }}", "{{ undefined_name | length }}",
    "{{ {'a': 1, 'b': 2} | list }}", "{{ 'ab' | count }} {{ 3 | string }} {{ 'x' | safe }} {{ 2 | float }}",
    "{{ [0, 1, 2] | reject('odd') | list }} {{ [0, 1] | select | list }}",
    r"{{ 'a\nb' | indent(2) }} {{ 'a\nb' | indent('--', true) }}",
    "{{ true is boolean }} {{ 1 is integer }} {{ 1.5 is float }} {{ 1 is number }} {{ 'a' is string }}",
    "{{ true is true }} {{ 1 is true }} {{ range is callable }}",
    "{{ dict(a=1, b='x') }} {{ namespace(a=2).a }}", "{% set x = 3 %}{{ x if x > 2 else 'no' }} {{ 'only' if false }}",
    "{{ 1 if 0 else 2 if 0 else 3 }} {{ not 1 == 2 }} {{ 1 < 2 < 3 }}", "{{ 'a' ~ 1 ~ none ~ true }}",
    "{{ 2 ** 10 }} {{ 2 ** -1 }}", "{{ [3, 1, 2] | sort }} {{ [3, 1, 2] | sort(reverse=true) }} {{ ['b', 'A'] | sort }}",
    "{{ 'hello world' | title }} {{ 'hELLO' | capitalize }}",
    "{% for k, v in {'b': 1, 'a': 2} | dictsort %}{{ k }}{{ v }}{% endfor %}",
    "{{ [1, 2] | first }} {{ [1, 2] | last }} {{ [] | first is defined }}",
    "{% for i in [1, 2, 3] if i != 2 %}{{ loop.index }}{{ i }}{{ loop.last }}{% else %}none{% endfor %}",
    "{% for i in [] %}{% else %}none{% endfor %}", "{{ {'a': [1, {'b': none}]} | tojson }}",
    "{{ 1.0 }} {{ 1e20 }} {{ 0.1 }} {{ 1e-7 }}", "{{ [1, 2, 3] | map('string') | join('+') }}",
    "{{ 'a,b'.split(',') }} {{ '  a b '.split() }} {{ 'abc'.find('c') }} {{ 'x'.join(['a', 'b']) }}",
    "{{ '2.5' | float }} {{ 'x' | float }} {{ true | float }}", "{% set a, b = [1, 2] %}{{ b }}{{ a }}",
]


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                extensions=[jinja2.ext.loopcontrols])
    environment.filters["tojson"] = lambda x: json.dumps(x, ensure_ascii=False)
    rows = [{"source": source, "output": environment.from_string(source).render()} for source in SOURCES]
    with open(HERE / "chat" / "expressions.json", "w", encoding="utf-8") as file:
        json.dump({"jinja2": jinja2.__version__, "rows": rows}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
