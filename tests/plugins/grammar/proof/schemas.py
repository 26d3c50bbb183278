"""Makes JSON schemas at random, of all that grammar.rule says it holds. The same seed makes the same schema.

Values are kept short (few members, short strings), so that an answer ends within some dozens of tokens.
"""
import random

# An entry per draft keyword that is held; prove.py looks that each was met in answers.
HELD = {
    "$defs", "definitions", "$ref", "type", "enum", "const", "properties", "required", "additionalProperties",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties", "items",
    "prefixItems", "unevaluatedItems", "minItems", "maxItems", "anyOf", "oneOf", "allOf", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
}
FORMATS = ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri", "uri-reference",
           "uri-template", "json-pointer", "relative-json-pointer"]
PATTERNS = ["^[a-z]{2,4}$", "[A-Z][0-9]{3}", "^(red|green|blue)-[0-9]+$", "^\\d{3}-\\d{4}$", "^a.b$", "^[^ab]{1,3}$",
            "^\\w+@\\w+\\.(de|org)$", "^(?:x|yz){1,3}$", "^\\S{2}\\s\\S$", "^[a-f\\d]{4}$", "^a\\/b\\.c\\?$", "^-?[1-9]\\d{0,3}$",
            "^$", "^[\u00e4\u00f6\u00fc]{1,3}$", "^\u20ac\\d\\d$", "^[+\\-*]{2}$", "^(a|b(c|d){2}){1,2}e?$", "^x{3,}$",
            "^[a-z]{2}(-\\d{1,3})?$", "^x(ab*)?$", "^(ab{1,2}){2,}$", "^(\\d+,)*\\d+(\\.\\d+)?$"]
NAMES = ["name", "age", "a b", "x-y", "na\u00efve", "quo\"te", "back\\slash", "tab\t", "\u6771\u4eac", "", "id", "/path", "type", "items"]


class Schemas:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.defs = {}

    def one_of(self, *makers):
        return self.random.choice(makers)

    def bounds(self, least, most):
        low, high = sorted(self.random.randint(least, most) for _ in range(2))
        return low, high

    def make(self):
        """A whole schema: mostly an object, as people ask for."""
        schema = self.object(3) if self.random.random() < 0.7 else self.value(3)
        if self.defs:
            place = self.random.choice(["$defs", "definitions"])
            text = {"$defs": "#/$defs/", "definitions": "#/definitions/"}[place]
            schema = dict(renamed(schema, text), **{place: renamed(self.defs, text)})
        if self.random.random() < 0.2:
            schema = {"title": "T", "description": "what it is", "$comment": "c", "default": None, "examples": [], **schema}
        return schema

    def value(self, depth):
        leaves = [self.string, self.integer, self.number, self.enum, self.const, self.simple, self.types]
        nested = [self.object, self.object, self.array, self.array, self.any_of, self.exclusive, self.all_of, self.reference]
        if depth <= 0:
            return self.random.choice(leaves)()
        return self.random.choice([lambda _: self.random.choice(leaves)(), *nested])(depth - 1)

    # ------------------------------------------------------------ values alone

    def string(self):
        kind = self.random.random()
        if kind < 0.3:
            low, high = self.bounds(0, 8)
            return {"type": "string", **self.some({"minLength": low, "maxLength": high}, keep="maxLength")}
        if kind < 0.6:
            return {"type": "string", "pattern": self.random.choice(PATTERNS)}
        if kind < 0.9:
            return {"type": "string", "format": self.random.choice(FORMATS)}
        if kind < 0.95:
            return {"type": "string", "minLength": self.random.randint(1, 4)}
        return {"type": "string"}

    def some(self, bounds, keep=None):
        """Some of the bounds; `keep` always."""
        return {key: value for key, value in bounds.items() if key == keep or self.random.random() < 0.7}

    def integer(self):
        kind = self.random.random()
        if kind < 0.2:
            return {"type": "integer", "multipleOf": self.random.randint(1, 12)}
        low, high = self.bounds(-1200, 1200)
        if kind < 0.35:
            return {"type": "integer", "minimum": low, "maximum": low + 100, "multipleOf": self.random.randint(2, 9)}
        if kind < 0.6:
            return {"type": "integer", **self.some({"exclusiveMinimum": low - 1, "exclusiveMaximum": high + 1})}
        if kind < 0.7:
            return {"type": "integer", "minimum": low, "exclusiveMinimum": low - 3, "maximum": high + 5, "exclusiveMaximum": high + 2}
        return {"type": "integer", **self.some({"minimum": low, "maximum": high})}

    def number(self):
        low, high = self.bounds(-500, 500)
        low, high = low / self.random.choice([1, 2, 10, 8, 1000]), (high + 1) / self.random.choice([1, 4, 10])
        if low >= high:
            low, high = high, low + 1
        if self.random.random() < 0.5:
            return {"type": "number", **self.some({"exclusiveMinimum": low, "exclusiveMaximum": high})}
        return {"type": "number", **self.some({"minimum": low, "maximum": high})}

    def simple(self):
        return {"type": self.random.choice(["boolean", "null"])}

    def literal(self):
        return self.random.choice([
            "red", "", "quo\"te\\", "\u00e4\u20ac\U0001f600", "a/b", "\n\t", 0, -7, 12.5, 1e-7, 0.1, 12345678901, True, False, None, [], {},
            [1, "a", None], {"b": 1, "a": [True, {"c": "d"}]}])

    def enum(self):
        values = []
        for _ in range(self.random.randint(1, 5)):
            value = self.literal()
            if not any(same(value, other) for other in values):
                values.append(value)
        return {"enum": values}

    def const(self):
        value = self.literal()
        return self.random.choice([{"const": value}, {"const": value, "type": type_of(value)}])

    def types(self):
        return self.random.choice([
            {"type": ["integer", "null"], "minimum": 3, "maximum": 17},
            {"type": ["string", "null"], "maxLength": 4},
            {"type": ["boolean", "string"], "format": "date"},
            {"type": ["string", "integer"], "pattern": "^[xy]{2}$", "exclusiveMinimum": 5},
            {"type": ["number", "array"], "minimum": 0.5, "maximum": 2.5, "items": {"const": 1}, "maxItems": 2},
            {"type": ["object", "null"], "properties": {"a": {"type": "boolean"}}, "required": ["a"]},
            {"type": ["integer"]}])

    # ------------------------------------------------------------ values of values

    def array(self, depth):
        kind = self.random.random()
        low, high = self.bounds(0, 3)
        if kind < 0.55:
            return {"type": "array", "items": self.value(depth), **self.some({"minItems": low, "maxItems": high}, keep="maxItems")}
        prefix = [self.value(depth) for _ in range(self.random.randint(1, 3))]
        count = len(prefix)
        if kind < 0.7:
            return {"type": "array", "prefixItems": prefix, **self.some({"items": False, "minItems": self.random.randint(0, count)})}
        if kind < 0.85:
            return {"prefixItems": prefix, "items": self.value(depth), "maxItems": count + 2, **self.some({"minItems": low})}
        if kind < 0.95:
            return {"type": "array", "prefixItems": prefix, "maxItems": count + 1,
                    "unevaluatedItems": self.random.choice([False, {"type": "boolean"}])}
        return {"type": "array", "maxItems": high}

    def object(self, depth):
        kind = self.random.random()
        if kind < 0.6:
            return self.record(depth)
        if kind < 0.7:
            return {"type": "object", "patternProperties": {"^[a-z]{1,2}$": self.value(depth)},
                    **self.some({"additionalProperties": False, "maxProperties": 2})}
        if kind < 0.8:
            names = self.random.choice([{"pattern": "^[a-c]$"}, {"maxLength": 3}, {"enum": ["x", "y z"]},
                                        {"type": "string", "minLength": 1, "maxLength": 2}])
            return {"type": "object", "propertyNames": names, "maxProperties": 2,
                    **self.some({"additionalProperties": self.value(depth), "minProperties": self.random.randint(0, 1)})}
        if kind < 0.9:
            return {"type": "object", "maxProperties": 2,
                    self.random.choice(["additionalProperties", "unevaluatedProperties"]): self.random.choice([True, self.value(depth)])}
        if kind < 0.95:
            return {"type": "object", "maxProperties": 1}
        return self.record(depth, counted=True)

    def record(self, depth, counted=False):
        names = self.random.sample(NAMES, self.random.randint(1, 4))
        schema = {"type": "object", "properties": {name: self.value(depth) for name in names},
                  "required": [name for name in names if self.random.random() < 0.6]}
        if self.random.random() < 0.1:
            del schema["type"]
        if not schema["required"] and self.random.random() < 0.5:
            del schema["required"]
        required = len(schema.get("required", ()))
        if counted or self.random.random() < 0.15:
            most = self.random.randint(max(1, required), len(names))
            schema.update(self.some({"minProperties": self.random.randint(0, most), "maxProperties": most}))
        elif self.random.random() < 0.4:
            schema[self.random.choice(["additionalProperties", "unevaluatedProperties"])] = self.random.choice(
                [False, False, {"type": "integer", "minimum": 0, "maximum": 9}])
        return schema

    def any_of(self, depth):
        return {"anyOf": [self.value(depth) for _ in range(self.random.randint(1, 3))]}

    def exclusive(self, depth):
        """Branches of which one fits, whatever the value."""
        tagged = [{"type": "object", "properties": {"kind": {"const": kind}, "value": self.value(depth - 1)},
                   "required": ["kind", "value"]} for kind in ("a", "b")]
        other = [{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 1, "maximum": 30}, {"type": "boolean"}, {"type": "null"}]
        return {"oneOf": self.random.choice([tagged, self.random.sample(other, self.random.randint(1, 4))])}

    def all_of(self, depth):
        return {"allOf": [self.value(depth)]}

    def reference(self, depth):
        kind = self.random.random()
        if kind < 0.3:
            self.defs["tree"] = {"type": "object", "required": ["v", "next"], "properties": {
                "v": {"type": "integer", "minimum": 0, "maximum": 9},
                "next": {"anyOf": [{"type": "null"}, {"$ref": "DEFS/tree"}]}}}
            return {"$ref": "DEFS/tree"}
        if kind < 0.4:
            self.defs["a/b~c"] = {"type": "array", "items": {"$ref": "DEFS/a~1b~0c"}, "maxItems": 1}
            return {"$ref": "DEFS/a~1b~0c"}
        name = f"d{len(self.defs)}"
        self.defs[name] = True  # so that what it holds takes other names
        self.defs[name] = self.value(min(depth, 1))
        return {"$ref": f"DEFS/{name}"}


def renamed(value, place):
    """With `place` for where definitions stand."""
    if isinstance(value, dict):
        return {key: place + each[5:] if key == "$ref" and isinstance(each, str) else renamed(each, place)
                for key, each in value.items()}
    return [renamed(each, place) for each in value] if isinstance(value, list) else value


def type_of(value):
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array", dict: "object"}
    return names[type(value)]


def same(a, b):
    return type(a) is type(b) and a == b


def keywords(schema, found):
    """The keywords of a schema, not of what stands in its values."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            found.add(key)
            if key in ("properties", "patternProperties", "$defs", "definitions"):
                for each in value.values():
                    keywords(each, found)
            elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
                for each in value:
                    keywords(each, found)
            elif key not in ("enum", "const", "default", "examples"):
                keywords(value, found)
    return found


def make(seed):
    return Schemas(seed).make()
