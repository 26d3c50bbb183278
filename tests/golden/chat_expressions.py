"""Expressions that chat templates may use, for make_expressions.py: what the interpreter claims to know."""

LITERALS = [
    r"{{ ['a\t', 'b\r', '\\'] }}", r"{{ {'k': 'a\'b'} }}", r"{{ '\x41\u00e9\u20ac' }}", r"{{ 'a\qb' }}",
    r"{{ '\101\0\7|\a\v' | tojson }}", r"{{ '\U0001F600' }}", "{{ 'a\\\nb' }}", "{{ 0x1F + 0o17 + 0b101 }}", "{{ 1_000 + 1_0.5 }}",
    "{{ 1.0 }} {{ 1e20 }} {{ 0.1 }} {{ 1e-7 }} {{ 1e16 }} {{ 123456789.125 }}", "{{ () }} {{ (1,) }} {{ (1, 2) }} {{ 1, 2 }}",
    "{{ [(1, 'a'), [2]] }}", "{{ {1: 2, 'a': (3,), none: 1.5, true: 0} }}", "{{ {'b': 1, 'a': 2, 'b': 3} }}",
    "{{ {'z': 1, 'y': {'x': 2, 'w': 3}} | tojson }}", "{% for k, v in {'z': 1, 'a': 2}.items() %}{{ k }}{{ v }}{% endfor %}",
    "{{ 'a' 'b' }}", "{{ [1, 2,] }} {{ {'a': 1,} }}", r"{{ ['\x7f\x00\xa0\u200b\u00e9'] }}", "{{ True }} {{ None }} {{ false }}",
    "{{ {}.items() | list }} {{ {'a': 1}.items() }} {{ {'a': 1}.keys() }} {{ {'a': 1}.values() }}", r"{{ ['it\'s', 'say \"x\"', '\'\"'] }}",
    "{{ dict(a=1, b='x') }} {{ dict({'a': 1}, a=2) }} {{ dict([('k', 1), ('l', 2)]) }}", "{{ namespace(a=2).a }} {{ namespace(b=1) }}",
    "{{ [undefined_name, none, true] }}", "{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] ~ nothing }}",
]
OPERATORS = [
    "{{ [1, [2]] == [1, [2]] }} {{ [1] == [2] }} {{ (1,) == [1] }}", "{{ {'a': 1} == {'a': 1.0} }} {{ {'a': 1} == {'b': 1} }}",
    "{{ none == none }} {{ 1 == true }} {{ '1' == 1 }}", "{{ 7.5 // 2 }} {{ -7 % 3 }} {{ 7.5 % 2 }} {{ -7 // 2 }} {{ -7.5 % 2 }} {{ 7 % -3 }}",
    "{{ [1, 2] * 2 }} {{ 2 * [3] }} {{ 2 * 'ab' }} {{ 'ab' * -1 }} {{ (1,) * 2 }}", "{{ [1] + [2] }} {{ (1,) + (2,) }} {{ 1 + 2.5 }}",
    "{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 2.0 ** 0.5 }} {{ 3 ** 39 }}", "{{ 7 / 2 }} {{ 4 / 2 }} {{ true + true }}",
    "{{ 1 < 2 < 3 }} {{ 3 > 2 > 1 }} {{ 1 < 3 > 2 }} {{ 1 == 1 == 1 }} {{ 3 > 2 > 2 }}", "{{ 1 in [1] in [[1]] }}", "{{ [1, 2] < [1, 3] }} {{ (1, 'b') > (1, 'a') }}",
    "{{ not 1 == 2 }} {{ not not 1 }} {{ not [] }}", "{{ 1 if 0 else 2 if 0 else 3 }} {{ 'only' if false }}|",
    "{{ 'a' in 'abc' }} {{ 'x' not in ['a'] }} {{ 'k' in {'k': 1} }} {{ 1 in (1, 2) }} {{ none in [none] }} {{ 1 in {1: 2} }}",
    "{{ '' or 'x' }} {{ 0 and 1 }} {{ 'a' and 'b' }} {{ none or [] }}", "{{ -3 | abs }} {{ - 3 }} {{ +4 }} {{ -true }} {{ -(2.5) }}",
    "{{ 1 - -1 }} {{ 3 * 4 ~ 'x' }} {{ 10 - 2 - 3 }} {{ 2 * 3 % 4 }}", "{{ 9007199254740993 == 9007199254740992 }} {{ 9007199254740993 > 9007199254740992 }}",
    "{{ 1.5 + none }}", "{{ 'a' + 1 }}", "{{ [] + () }}", "{{ 'a' < 1 }}", "{{ none < 1 }}", "{{ {} < {} }}", "{{ nothing + 1 }}", "{{ 1 % 0 }}", "{{ {[1]: 2} }}",
]
FILTERS = [
    r"{{ 'a\b\f\u0001\\' | tojson }} {{ 'a\r\t\n\"' | tojson }}", "{{ 'é😀' | tojson(true) }} {{ 'é' | tojson(ensure_ascii=false) }}",
    "{{ {'a': [1, {}], 'b': []} | tojson(indent=2) }}", "{{ [1, [2]] | tojson(indent=0) }}", "{{ [1, [2]] | tojson(indent='--') }}",
    "{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }}", "{{ {'a': [1, 2]} | tojson(indent=1, separators=(';', '=')) }}", "{{ {'a': [1, 2]} | tojson(separators=[' , ', ' : ']) }}",
    "{{ {'b': {'d': 1, 'c': 2}, 'a': 3} | tojson(sort_keys=true) }}", "{{ {'b': 1, 'a': 2} | tojson(false, none, none, true) }}", "{{ {1: 2, true: 3, none: 4, 1.5: 5} | tojson }}",
    "{{ (1, 'x', none, 1.0, 1e20) | tojson }}", "{{ [true, false] | tojson }} {{ 'a' | tojson(indent=4) }}", "{{ nothing | tojson }}", "{{ {1: 2} | tojson(x=1) }}", "{{ 1 | tojson(1, 2, 3, 4, 5) }}",
    "{{ {'a': 1}.keys() | tojson }}", "{{ {'1': 1, 2: 2} | tojson(sort_keys=true) }}", "{{ 'a<b>&\\'' | tojson }}",
    "{{ undefined_name | length }} {{ 'ab' | count }} {{ 3 | string }} {{ 'x' | safe }} {{ 2 | float }}", "{{ {'a': 1, 'b': 2} | list }} {{ 'ab' | list }} {{ (1, 2) | list }}",
    "{{ [0, 1, 2] | reject('odd') | list }} {{ [0, 1] | select | list }} {{ [1, 5, 9] | select('gt', 4) | list }} {{ [1, 2] | select('==', 2) | list }}",
    "{{ [{'a': 1}, {'a': 0}, {}] | selectattr('a') | list }} {{ [{'a': 1}, {'a': 0}] | rejectattr('a') | list }}",
    "{{ [{'a': {'b': 1}}, {'a': {'b': 2}}] | selectattr('a.b', 'equalto', 2) | list }}", "{{ [{'a': 1}, {}] | selectattr('a', 'defined') | list }}",
    r"{{ 'a\nb' | indent(2) }} {{ 'a\nb' | indent('--', true) }}", r"{{ 'a\n\nb\n' | indent(2) }}|{{ 'a\n\nb' | indent(2, blank=true) }}|{{ 'a\r\nb' | indent(first=true) }}",
    "{{ [3, 1, 2] | sort }} {{ [3, 1, 2] | sort(reverse=true) }} {{ ['b', 'A', 'a', 'B'] | sort }} {{ ['b', 'A', 'a'] | sort(case_sensitive=true) }}",
    "{{ [{'a': 2, 'b': 1}, {'a': 1, 'b': 2}, {'a': 1, 'b': 1}] | sort(attribute='a,b') }}", "{{ [[2, 'x'], [1, 'y']] | sort(attribute=0) }} {{ [(1, 'b'), (0, 'c')] | sort(attribute='1') }}",
    "{% for k, v in {'b': 1, 'a': 2} | dictsort %}{{ k }}{{ v }}{% endfor %}", "{{ {'b': 1, 'A': 2, 'a': 3} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ {'b': 1, 'a': 2} | dictsort(reverse=true) }}",
    "{{ {'b': 1, 'A': 2} | dictsort(true) }}", "{{ {} | dictsort(by='x') }}", "{{ [1, 2] | first }} {{ [1, 2] | last }} {{ [] | first is defined }} {{ 'abc' | first }} {{ {'k': 1} | first }}",
    "{{ [1, 2, 3] | map('string') | join('+') }} {{ ['a', 'B'] | map('upper') | list }} {{ [{'a': 1}, {}] | map(attribute='a', default=0) | list }}",
    "{{ ['1', 'x'] | map('int', default=7) | list }} {{ ['a'] | map('replace', 'a', 'b') | list }}", "{{ '2.5' | float }} {{ 'x' | float }} {{ true | float }} {{ 'x' | float(1.5) }} {{ none | float }} {{ '1_0.5' | float }}",
    "{{ '42' | int }} {{ '4.9' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ '0x1F' | int(base=16) }} {{ '1f' | int(0, 16) }} {{ ' -5 ' | int }} {{ -1.9 | int }} {{ '1e3' | int }} {{ none | int }} {{ '1_000' | int }}",
    "{{ 42.55 | round }} {{ 42.55 | round(1) }} {{ 42.55 | round(1, 'floor') }} {{ 42.1 | round(method='ceil') }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 42 | round }} {{ 1.005 | round(2) }} {{ -2.5 | round }}",
    "{{ 1234 | round(-2) }} {{ 1250.0 | round(-2) }}", "{{ 1 | round(method='x') }}", "{{ 'hello' | round }}", "{{ none | default('x') }} {{ nothing | default('x') }} {{ '' | default('x', true) }} {{ nothing | d }}| {{ 0 | default('x', boolean=true) }} {{ none | d(1, true) }}",
    "{{ 'aXbX' | replace('X', '-') }} {{ 'aXbX' | replace('X', '-', 1) }} {{ 'ab' | replace('', '.') }} {{ 5 | replace(5, 6) }}", "{{ 'xxaxx' | trim('x') }} {{ '  a ' | trim }}| {{ 5 | trim }}",
    "{{ [1, 1, 2] | unique | list }} {{ ['a', 'A', 'b'] | unique | list }} {{ ['a', 'A'] | unique(true) | list }} {{ [{'a': 1}, {'a': 1}] | unique(attribute='a') | list }}",
    "{{ [3, 1, 2] | min }} {{ [3, 1, 2] | max }} {{ ['b', 'A'] | min }} {{ [] | max }}| {{ [{'a': 1}, {'a': 3}] | max(attribute='a') }}", "{{ [1, 2.5] | sum }} {{ [{'a': 1}, {'a': 2}] | sum(attribute='a') }} {{ [1] | sum(start=10) }} {{ [] | sum }}",
    "{{ [1, 2, 3] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 'x') | list }}", "{{ [1, 2, 3, 4, 5] | slice(2) | list }} {{ [1, 2, 3, 4, 5] | slice(3, 'x') | list }}",
    "{% for g, items in [{'c': 'a', 'n': 1}, {'c': 'b', 'n': 2}, {'c': 'A', 'n': 3}] | groupby('c') %}{{ g }}:{{ items | map(attribute='n') | join(',') }};{% endfor %}",
    "{% for g in [{'c': 2}, {'c': 1}] | groupby('c') %}{{ g.grouper }}{{ g.list }}{{ g[0] }};{% endfor %}", "{{ 'abc' | reverse }} {{ [1, 2] | reverse | list }}",
    "{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11) }} {{ 'foo bar baz qux' | truncate(11, false, '..', 0) }}",
    "{{ 'a' | center(6) }}| {{ 'ab' | center(5) }}|", "{{ '%s-%d' | format('a', 3) }} {{ '%(x)s' | format(x=1) }}", "{{ 'a b  c' | wordcount }}", "{{ {'a': 1} | attr('items') is callable }} {{ {'a': 1} | items | list }} {{ nothing | items | list }}",
    "{{ [1, 2] | join }} {{ [1, 2] | join(', ') }} {{ [{'a': 1}, {'a': 2}] | join('|', attribute='a') }} {{ [[1, 2]] | join(attribute=1) }}", "{{ -2 | abs }} {{ 2.5 | abs }} {{ true | abs }}",
    "{{ 'a' | upper(1) }}", "{{ 'a' | trim(x=1) }}", "{{ 'a' | replace('a') }}", "{{ 'a' | replace('a', 'b', 1, 2) }}", "{{ [1] | join(sep=',') }}", "{{ 1 | default(value=2) }}", "{{ 'a' | indent(2, indent=3) }}", "{{ [1] | first(1) }}",
    "{{ 'a' | int(foo=1) }}", "{{ [1] | sort(key='a') }}", "{{ 'a' | length(1) }}", "{{ [1] | map('abs', 1) | list }}", "{{ [1] | map | list }}", "{{ [1] | select('odd', 2) | list }}", "{{ 'a' | nope }}", "{{ 1 | length }}", "{{ 1 | list }}",
]
CASES = [
    "{{ 'hello world' | title }} {{ 'hELLO' | capitalize }} {{ 'élan ÉTÉ' | title }} {{ 'été' | upper }} {{ 'ÉTÉ' | lower }} {{ 'éA' | capitalize }}",
    "{{ 'straße ﬁ' | upper }} {{ 'straße' | title }} {{ 'ſ' | upper }} {{ 'İ' | lower }} {{ 'ǆ' | capitalize }} {{ 'ǆ' | upper }}", "{{ 'ΑΣ ΣΑΣ Σ' | lower }} {{ 'άλφα' | upper }} {{ 'ωμέγα' | capitalize }}",
    "{{ 'łódź ŽĚ' | upper }} {{ 'ŁÓDŹ žě' | lower }} {{ 'привет МИР' | title }} {{ 'ЁЖ ѐђ' | lower }} {{ 'їжак ґ' | upper }}", "{{ 'ÿ ŉ µ' | upper }} {{ 'Ÿ' | lower }} {{ 'ﬀ' | title }}", "{{ 'აბ' | upper }} {{ 'աբ' | upper }} {{ 'Ꭰ' | lower }} {{ '𐐨' | upper }} {{ 'ａ' | upper }}",
    "{{ \"they're bill's\".title() }} {{ \"they're bill's\" | title }} {{ 'a-b (c [d {e <f g.h' | title }} {{ 'a1b'.title() }}", "{{ 'aBc'.swapcase() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'ß'.capitalize() }}",
    "{{ 'ABC'.isupper() }} {{ 'AbC'.isupper() }} {{ '1'.isupper() }} {{ 'é1'.islower() }} {{ 'É' is upper }} {{ 'é' is lower }} {{ '' is upper }} {{ 'a1' is lower }} {{ 1 is upper }}", "{{ 123 | upper }} {{ none | lower }} {{ 'a\tb\u00a0c' | title }}",
]
METHODS = [
    "{{ '12'.isdigit() }} {{ ''.isdigit() }} {{ ' '.isspace() }}", "{{ 'a-b-c'.rsplit('-', 1) }} {{ 'abab'.rfind('b') }} {{ 'a b c'.rsplit(none, 1) }} {{ ' a b  c '.rsplit() }}",
    "{{ 'abc'.removesuffix('c') }} {{ 'abc'.removesuffix('x') }} {{ 'abc'.removeprefix('a') }}", "{{ 'a,b'.split(',') }} {{ '  a b '.split() }} {{ 'abc'.find('c') }} {{ 'x'.join(['a', 'b']) }}",
    "{{ 'a,b,c'.split(',', 1) }} {{ ' a b c '.split(none, 1) }} {{ 'a,b'.split(sep=',') }} {{ 'a,b,c'.split(',', maxsplit=1) }} {{ ''.split(',') }} {{ ''.split() }}", r"{{ 'a\nb\r\nc\n'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ ''.splitlines() }} {{ 'a\u2028b\x0bc'.splitlines() }}",
    "{{ 'abc'.startswith('a') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.endswith('b', 0, 2) }}", "{{ 'a.b.c'.partition('.') }} {{ 'a.b.c'.rpartition('.') }} {{ 'a'.partition('.') }} {{ 'a'.rpartition('.') }}",
    "{{ 'ab'.center(5, '*') }} {{ 'abc'.center(6, '*') }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '0') }} {{ '-5'.zfill(4) }} {{ 'ab'.zfill(1) }}", "{{ 'aaa'.replace('a', 'b', 2) }} {{ 'aaa'.count('a') }} {{ 'aaa'.count('') }} {{ 'héé'.find('é') }} {{ 'abc'.index('b') }}",
    "{{ 'xxa'.lstrip('x') }} {{ 'axx'.rstrip('x') }} {{ ' a '.strip() }}| {{ 'abcba'.strip('ab') }} {{ ' a'.strip(none) }}", "{{ {'a': 1}.get('a') }} {{ {'a': 1}.get('b') }} {{ {'a': 1}.get('b', 2) }} {{ {1: 'x'}.get(1) }} {{ {'a': 1}.copy() }}",
    "{{ [1, 2, 1].count(1) }} {{ [1, 2].index(2) }} {{ (1, 2).index(2) }}", "{{ {'items': 5}.items() | list }} {{ {'items': 5}['items'] }} {{ {'a': 1}['get']('a') }} {{ 'ab'['upper']() }}", "{{ {'a': 1}.a }} {{ {'a': 1}.b }}| {{ {1: 2}[1] }} {{ {'a': {'b': [1, 2]}}.a.b[1] }} {{ [1, 2].1 }} {{ [[1, 2]].0.1 }}",
    "{{ 'a'.strip(x=1) }}", "{{ 'a'.split(',', 1, 2) }}", "{{ 'a'.upper(1) }}", "{{ 'a'.replace('a') }}", "{{ 'a'.startswith() }}", "{{ 'a'.startswith(prefix='a') }}", "{{ {}.get() }}", "{{ {}.get('a', default=1) }}", "{{ {}.items(1) }}", "{{ 'a'.split('') }}", "{{ ','.join([1]) }}", "{{ 'a'.join() }}", "{{ 'abc'.index('x') }}", "{{ 'a'.nope() }}", "{{ [].append(1) }}", "{{ {}.update({}) }}", "{{ {}.pop('a') }}", "{{ 'a'.startswith(['a']) }}",
]
TESTS = [
    "{{ true is boolean }} {{ 1 is integer }} {{ true is integer }} {{ 1.5 is float }} {{ 1 is number }} {{ true is number }} {{ 'a' is string }}", "{{ true is true }} {{ 1 is true }} {{ range is callable }} {{ false is false }} {{ none is none }} {{ nothing is none }}",
    "{{ {} is mapping }} {{ [] is mapping }} {{ [] is sequence }} {{ 'a' is sequence }} {{ {} is sequence }} {{ 1 is sequence }} {{ (1,) is iterable }} {{ 1 is iterable }}", "{{ nothing is defined }} {{ nothing is undefined }} {{ nothing is not defined }} {{ {}.a is defined }} {{ [].0 is defined }}",
    "{{ 3 is odd }} {{ -3 is odd }} {{ 4 is even }} {{ 6 is divisibleby 3 }} {{ 7 is divisibleby(2) }} {{ 6 is divisibleby(num=3) }}", "{{ 1 is in [1, 2] }} {{ 'a' is in 'abc' }} {{ 3 is not in([1, 2]) }}", "{{ 1 is eq 1 }} {{ 1 is equalto 2 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is le 1 }} {{ 2 is gt 1 }} {{ 2 is ge 3 }} {{ 2 is greaterthan 1 }} {{ 1 is lessthan(2) }}",
    "{{ none is sameas none }} {{ 1 is sameas true }} {{ false is sameas false }}", "{{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'a' is escaped }}", "{{ 1 is odd and 2 is even }} {{ 1 is odd or nothing is defined }} {{ 'x' if 1 is odd else 'y' }}", "{{ 1.5 is odd }} {{ (1.0) is odd }}",
    "{{ 1 is odd(2) }}", "{{ 1 is divisibleby }}", "{{ 1 is eq(1, 2) }}", "{{ 1 is eq(x=1) }}", "{{ 'a' is defined(1) }}", "{{ 1 is nope }}", "{{ 'a' is odd }}", "{{ 1 is in 2 }}", "{{ 6 is divisibleby 0 }}",
]
FORMATS = [
    "{{ '%s %d %5.2f|%-5s|%05d|%x|%X|%o|%e|%g' % ('a', 3, 1.234, 'b', 42, 255, 255, 8, 12345.678, 0.0001) }}", "{{ '%s' % 'a' }} {{ '%s' % [1, 2] }} {{ '%r' % 'a' }} {{ '%%' % () }} {{ '%d%%' % 5 }}", "{{ '%(a)s-%(b)03d' % {'a': 'x', 'b': 7} }}", "{{ '%+d % d %+.1f %#x %5s|%.2s|%*d' % (5, 5, 1.25, 255, 'é', 'abc', 4, 7) }}", "{{ '%i %u %d' % (1.9, 2, true) }} {{ '%s' % none }}",
    "{{ '%d' % 'a' }}", "{{ '%s %s' % 'a' }}", "{{ '%s' % ('a', 'b') }}", "{{ '%(a)s' % {} }}", "{{ '%' % 1 }}", "{{ 'a' % 1 }}", "{{ '%x' % 1.5 }}",
    "{{ '{}-{}'.format(1, 'a') }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=3) }} {{ '{{}}'.format() }} {{ '{!r}'.format('a') }}", "{{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:5}|{:5}'.format('a', 'b', 'c', 'd', 'e', 6) }}", "{{ '{:.2f} {:,} {:+d} {:05d} {:x} {:#x} {:b} {:e} {:%} {:.1%} {:g}'.format(3.14159, 1234567, 5, 42, 255, 255, 5, 1234.5, 0.25, 0.256, 1e10) }}",
    "{{ '{0[a]} {0[b][1]}'.format({'a': 1, 'b': [1, 2]}) }} {{ '{:{}}|'.format('a', 4) }} {{ '{:.2}'.format('abc') }} {{ '{}'.format([1, 'a']) }} {{ '{:08.3f}'.format(-3.14159) }} {{ '{:_}'.format(1000000) }}", "{{ '{:d}'.format('a') }}", "{{ '{}'.format() }}", "{{ '{x}'.format(1) }}", "{{ '{'.format() }}", "{{ '}'.format() }}", "{{ '{:.2f} {:.0f} {:.3g} {} {}'.format(1, 2.5, 1234.5, 1.0, true) }}",
]
SLICES = [
    "{{ [1, 2, 3][-1] }} {{ [1, 2, 3][::2] }} {{ 'abc'[::-1] }} {{ [1, 2, 3][5] }}|", "{{ 'abcdef'[1:4] }} {{ 'abcdef'[-3:] }} {{ 'abcdef'[:-3] }} {{ 'abcdef'[4:1] }}| {{ 'abcdef'[4:1:-1] }} {{ 'abcdef'[::-2] }} {{ 'abc'[10:] }}| {{ 'abc'[-10:2] }}", "{{ (1, 2, 3)[1:] }} {{ [1, 2][none:none:none] }} {{ 'héllo'[1:3] }} {{ 'abc'[true] }}", "{{ [1, 2, 3][:2][0] }} {{ 'abc'[1] }} {{ 'abc'[-1] }} {{ {'a': 1}['a'] }} {{ [1]['a'] }}|", "{{ [1, 2][::0] }}", "{{ range(5)[1:3] | list }} {{ range(10) | list | batch(4) | list }}", "{{ range(3) | list }} {{ range(1, 4) | list }} {{ range(6, 0, -2) | list }} {{ range(0) | list }}", "{{ range(start=1) }}", "{{ range(1, 2, 0) }}",
]
LOOPS = [
    "{% for i in [1, 2, 3] if i != 2 %}{{ loop.index }}{{ i }}{{ loop.last }}{% else %}none{% endfor %}", "{% for i in [] %}{% else %}none{% endfor %}", "{% for i in 'ab' %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}", "{% for i in [1, 2, 3] %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }};{% endfor %}", "{% for i in [1, 1, 2, 2, 1] %}{{ loop.changed(i) }}{{ loop.cycle('a', 'b', 'c') }};{% endfor %}",
    "{% for i in [1, 2, 3, 4] %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "{% for (a, b), c in [((1, 2), 3), ((4, 5), 6)] %}{{ a }}{{ b }}{{ c }};{% endfor %}", "{% for a, b in {'x': 1}.items() %}{{ a }}{{ b }}{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for n in [{'v': 1, 'c': [{'v': 2, 'c': [{'v': 3, 'c': []}]}]}, {'v': 4, 'c': []}] recursive %}{{ n.v }}@{{ loop.depth }}{{ loop.depth0 }}[{{ loop(n.c) }}]{% endfor %}", "{% for n in [[1, [2, 3]], 4] recursive %}{% if n is sequence %}({{ loop(n) }}){% else %}{{ n }}.{{ loop.index }}{% endif %}{% endfor %}", "{% for i in [1, 2] %}{% for j in [3, 4] %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% set x = 0 %}{% for i in [1, 2] %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% if true %}{% set y = 5 %}{% endif %}{{ y }}", "{% for i in range(3) %}{{ i }}{% endfor %}{{ i }}|", "{% for x in [1] if x > 5 %}{{ x }}{% else %}empty{% endfor %}", "{% for i in nothing %}{{ i }}{% else %}e{% endfor %}", "{% for i in 5 %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for i in [1] %}{{ loop(1) }}{% endfor %}", "{% for x in [3, 1] | sort if x %}{{ x }}{% endfor %}", "{% for i in [1, 2, 3] %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in {'b': 1, 'a': 2} %}{{ x }}{% endfor %}", "{% for x in ([1, 2] if true else []) %}{{ x }}{% endfor %}",
]
STATEMENTS = [
    "{% set x = 3 %}{{ x if x > 2 else 'no' }}", "{% set a, b = [1, 2] %}{{ b }}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, (b, c)) = (1, (2, 3)) %}{{ a }}{{ b }}{{ c }}", "{% set x %}a{{ 1 }}{% endset %}{{ x }}", "{% set x | upper | replace('A', 'b') %}a{{ 1 }}{% endset %}{{ x }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b, y = 2, 3 %}{{ ns.a }}{{ ns.b }}{{ y }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns['a'] }}{{ ns.c }}|",
    "{% if 0 %}a{% elif 1 %}b{% else %}c{% endif %}", "{% filter upper %}a{{ 'b' }}{% endfilter %}", "{% filter replace('a', 'b') | title %}aa c{% endfilter %}", "{% with a=1, b=2 %}{{ a }}{{ b }}{% endwith %}{{ a }}|", "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z }}|", "{% set a = 1 %}{% with a=2, b=a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{# c #}a{# {{ x }} #}b", "{% raw %}{{ x }}{% y %}{% endraw %}z", "{% set a.b = 1 %}", "{% set d = {} %}{% set d.a = 1 %}", "{% if %}{% endif %}", "{% set x = %}", "{{ 1 2 }}", "{% nope %}", "{{ [1 }}", "{{ 1 is odd is even }}",
    "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}", "{{ raise_exception('no') }}",
]
MACROS = [
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }} {{ m() }}|", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2) }} {{ m(1) }}", "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "{% macro m(a) %}<{{ a }}:{{ caller() }}>{% endmacro %}{% call m('x') %}body{% endcall %}", "{% macro m(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(x) m([1, 2]) %}[{{ x }}]{% endcall %}",
    "{% macro m(a) %}{% set a = 2 %}{{ a }}{% endmacro %}{% set a = 1 %}{{ m(0) }}{{ a }}", "{% set g = 7 %}{% macro m() %}{{ g }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}", "{% macro f(x) %}{{ x | upper }}{% endmacro %}{{ ['a', f('b')] | join }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% for i in [1, 2] %}{% macro m(x) %}{{ x }}!{% endmacro %}{{ m(i) }}{% endfor %}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
]
SPACE = [
    "a\n{% if true %}\nb\n{% endif %}\nc", "a\n  {% if true %}  \nb\n  {% endif %}\nc", "a\n{%- if true -%}\nb\n{%- endif -%}\nc", "{% if true +%}\nb{% endif +%}\nc", "  {%+ if true %}b{% endif %}", "a\n  {%+ if true +%}\n b\n  {%+ endif +%}\n c", "a {{+ 1 }} b", "a {{- 1 -}} b", "{{-1}} {{+1}}", "a\n {# c #}\nb", "a\n {#- c -#}\nb", "{# c +#}\nb", "  {#+ c #}b", "a\r\n{% if true %}\r\nB\r\n{% endif %}\r\nC {{ 'd' }}\r\n", "a\r{% if true %}\rb\r{% endif %}\rc\r\r", "{{ 'a\r\nb' }}", "{{ 'a\\r\\nb' }}",
    " {% raw %} x {% endraw %} y", "a\n  {% raw %}\nx\n  {% endraw %}\ny", "a {%- raw -%} x {%- endraw -%} y", "{% raw -%}\n x{% endraw +%}\ny", "\n\na\n\n", "a\n", "a\n\n", "x\u00a0{%- if true %}y{% endif -%}\u00a0z", "  {{ 1 }}\n  {{ 2 }}\n", "\t{% set x = 1 %}\n{{ x }}", "a{% if true %}  {% endif %}b\n   {% if true %}c{% endif %}", "{% for i in [1, 2] %}\n  {{ i }}\n{% endfor %}\nend", "{%- for i in [1, 2] -%}\n  {{ i }}\n{%- endfor -%}\nend", "{% if true -%}   \n\n  x{%- endif %}\n\ny", "x {{ 'a' }}\n{{ 'b' }}\n\n",
]
SOURCES = (LITERALS + OPERATORS + FILTERS + CASES + METHODS + TESTS + FORMATS + SLICES + LOOPS + STATEMENTS + MACROS + SPACE)
