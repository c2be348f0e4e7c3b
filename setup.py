"""Compile the hot modules where a C compiler and Cython are there; install the same Python otherwise.

Every module named in COMPILED has a `.pxd` of its name beside it. ALSVID_BUILD=pure skips the compiler,
ALSVID_BUILD=compiled makes a failing compilation an error (used by the Makefile and by wheels).
"""

import os
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compiled_modules import COMPILED, DIRECTIVES

COMPILE_ARGS = ["-O3", "-fno-semantic-interposition", "-Wno-unreachable-code", "-Wno-unused-function"]
MODE = os.environ.get("ALSVID_BUILD", "auto")


class OptionalBuildExt(build_ext):
    """A compiler that is missing or fails leaves the pure modules, which are complete by themselves."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count()

    def run(self):
        self._errors = []
        try:
            super().run()
        except Exception as error:
            self._fail(error)
        if self._errors:
            self._take_back()

    def build_extension(self, ext):
        try:
            super().build_extension(ext)
        except Exception as error:
            self._fail(error)

    def copy_extensions_to_source(self):
        if not self._errors:
            super().copy_extensions_to_source()

    def _fail(self, error):
        if MODE == "compiled":
            raise error
        self._errors.append(error)

    def _take_back(self):
        """All or none: extensions call each other in C, and some of them beside the .py of others do not run.

        Those of an earlier build go as well; they would be imported in the place of a newer .py.
        """
        for ext in self.extensions:
            built_path = os.path.join(self.build_lib, self.get_ext_filename(self.get_ext_fullname(ext.name)))
            for path in (built_path, os.path.join("src", self.get_ext_filename(ext.name))):
                if os.path.exists(path):
                    os.unlink(path)
        self.extensions[:] = []
        print(f"alsvid: not compiled, installing pure Python: {self._errors[0]}", file=sys.stderr)


def extensions():
    if MODE == "pure" or not COMPILED:
        return []
    try:
        from Cython.Build import cythonize
    except ImportError as error:
        if MODE == "compiled":
            raise
        print(f"alsvid: Cython is missing, installing pure Python: {error}", file=sys.stderr)
        return []
    modules = [
        Extension(
            name,
            ["src/" + name.replace(".", "/") + ".py"],
            extra_compile_args=COMPILE_ARGS,
        )
        for name in COMPILED
    ]
    return cythonize(
        modules,
        include_path=["src"],
        compiler_directives=DIRECTIVES,
        build_dir="build/cython",
        nthreads=0,
        quiet=True,
    )


setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuildExt})
