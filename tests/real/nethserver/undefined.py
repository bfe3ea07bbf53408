"""Names of programs that nothing defines: what a compiler of Python does not look for."""

import builtins
import symtable
import sys


def undefined(table, known):
    for symbol in table.get_symbols():
        name = symbol.get_name()
        of_module = symbol.is_global() or table.get_type() == 'module'
        if of_module and symbol.is_referenced() and name not in known:
            yield name
    for child in table.get_children():
        yield from undefined(child, known)


def main():
    for path in sys.argv[1:]:
        with open(path) as file:
            text = file.read()
        compile(text, path, 'exec')
        table = symtable.symtable(text, path, 'exec')
        defined = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        defined |= {child.get_name() for child in table.get_children()}
        for name in undefined(table, defined | set(dir(builtins)) | {'__name__', '__file__'}):
            print(f'{path}: {name}')


main()
