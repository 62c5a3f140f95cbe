"""`python -m cloudml_magic.serving.batch SPECIFICATION.json`."""

import sys

from cloudml_magic.serving.batch.process import main

if __name__ == "__main__":
    main(sys.argv[1])
