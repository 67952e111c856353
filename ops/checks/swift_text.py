"""Swift's comments and string literals, told from its code."""

import re

# What may begin something that is not code, or end an interpolation.
_MARK = re.compile(r'//|/\*|(?P<hashes>#*)"(?P<three>"")?|[()]')


def code(text: str) -> str:
    """The text with comments, and what is in string literals, made blank; interpolations stay, and each line stays where it is."""
    kept = list(text)

    def blank(start: int, end: int):
        for index in range(start, min(end, len(kept))):
            if kept[index] != "\n":
                kept[index] = " "

    def skip_code(at: int, inside_interpolation: bool) -> int:
        """Goes through code, and returns the place after the parenthesis that ends an interpolation, or the end."""
        depth = 1
        while match := _MARK.search(text, at):
            token = match.group()
            at = match.end()
            if token == "//":
                at = text.find("\n", match.start())
                at = len(text) if at < 0 else at
                blank(match.start(), at)
            elif token == "/*":
                at = _end_of_comment(text, match.end())
                blank(match.start(), at)
            elif token == "(":
                depth += 1
            elif token == ")":
                depth -= 1
                if inside_interpolation and depth == 0:
                    return at
            else:
                at = skip_string(match.end(), match.group("hashes"), '"""' if match.group("three") else '"')
        return len(text)

    def skip_string(at: int, hashes: str, quotes: str) -> int:
        end, escape = quotes + hashes, "\\" + hashes
        while at < len(text):
            if text.startswith(end, at):
                return at + len(end)
            if text.startswith(escape, at):
                after = at + len(escape)
                blank(at, after + 1)
                at = skip_code(after + 1, True) if text.startswith("(", after) else after + 1
            elif text[at] == "\n" and len(quotes) == 1:
                return at
            else:
                blank(at, at + 1)
                at += 1
        return at

    skip_code(0, False)
    return "".join(kept)


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
