"""Measured factors of ``core.tokens``: how likely a token ends between two bytes, and words that are one token.

Measured by us on 2026-11-23 with the public tokenizer of Claude 2 (``tokenizer.json`` in the ``anthropic`` 0.38.0 wheel on PyPI):
the smallest factors, found by linear programming, with which no sample is counted short. How: docs/decisions/0006.
Numbers are hundredths of a token per pair of neighbouring bytes; a pair that is not listed counts 100. Some of them were raised by
hand afterwards, where patterns made to deceive them (``FLFLFL``, ``-#--#``, rare symbols) were counted short.
"""

AFTER: dict[str, dict[str, int]] = {
    "lower": {"space": 93, "slash": 68, "quote": 94},
    "upper": {"space": 99},
    "digit": {"digit": 46, "space": 91, "dot": 71, "quote": 55, "rule": 69},
    "space": {
        "lower": 16,
        "upper": 18,
        "digit": 4,
        "space": 8,
        "newline": 84,
        "tab": 6,
        "return": 22,
        "underscore": 91,
        "dot": 91,
        "slash": 4,
        "bracket": 4,
        "quote": 44,
        "sign": 59,
        "rule": 43,
    },
    "newline": {"lower": 50, "space": 11, "newline": 7, "tab": 4, "underscore": 4, "dot": 4},
    "tab": {"tab": 19, "dot": 4, "slash": 91, "bracket": 92, "quote": 4, "rule": 87},
    "return": {"space": 73, "newline": 43, "return": 70, "underscore": 91, "dot": 55, "slash": 91, "quote": 55},
    "underscore": {"digit": 8, "space": 4, "return": 4, "underscore": 10, "slash": 91, "bracket": 4, "sign": 91, "rule": 91},
    "dot": {"space": 4, "underscore": 4, "dot": 38, "slash": 4, "quote": 91, "rule": 4},
    "slash": {"upper": 30, "space": 91, "tab": 4, "return": 4, "underscore": 4, "slash": 38, "quote": 91},
    "bracket": {"newline": 82, "dot": 55, "slash": 4, "bracket": 38, "quote": 4, "rule": 33},
    "quote": {"space": 51, "newline": 89, "underscore": 4, "dot": 4, "slash": 4, "quote": 38, "sign": 55, "rule": 8},
    "sign": {"space": 89, "underscore": 4, "slash": 4},
    "rule": {"digit": 84, "newline": 81, "tab": 8, "return": 4, "underscore": 4, "quote": 87, "rule": 60},
    "foreign": {
        "lower": 4,
        "upper": 4,
        "digit": 80,
        "space": 4,
        "newline": 4,
        "tab": 18,
        "return": 80,
        "underscore": 4,
        "dot": 80,
        "slash": 4,
        "bracket": 80,
        "quote": 80,
        "sign": 80,
    },
}
"""Before the second byte of a pair, by the classes of both. ``foreign`` is any byte outside ASCII."""

LEADS: dict[str, dict[str, int]] = {
    "latin": {"ascii": 4, "foreign": 100, "inside": 75},
    "latin_far": {"ascii": 55, "foreign": 100, "inside": 100},
    "greek": {"ascii": 93, "foreign": 22, "inside": 100},
    "cyrillic": {"ascii": 29, "foreign": 4, "inside": 55},
    "hebrew_far": {"ascii": 4, "foreign": 100, "inside": 100},
    "semitic": {"ascii": 4, "foreign": 100, "inside": 40},
    "indic": {"ascii": 4, "foreign": 95, "inside": 4},
    "asian_far": {"ascii": 83, "foreign": 100, "inside": 100},
    "symbol": {"ascii": 4, "foreign": 100, "inside": 81},
    "kana": {"ascii": 4, "foreign": 4, "inside": 28},
    "hanzi": {"ascii": 100, "foreign": 100, "inside": 100},
    "hangul": {"ascii": 4, "foreign": 100, "inside": 100},
    "private": {"ascii": 100, "foreign": 100, "inside": 100},
    "astral": {"ascii": 4, "foreign": 98, "inside": 4},
}
"""Before the first byte of a character outside ASCII, after a byte of either kind, and before its second byte."""

REPEATED_RULE = 10
"""Between two equal bytes of the class ``rule``: lines of dashes are few tokens, dashes and hashes in turn are not."""

RARE_SYMBOL_INSIDE = 190
COMMON_SYMBOL_SECONDS = (0x80, 0x94, 0x95, 0x96)
"""Of the symbols that begin with 0xE2, those with these second bytes (quotes, dashes, boxes) are common; others are bytes."""

LETTERS = {"lower": (42, 42, 42, 74), "upper": (45, 100, 100, 100), "capital": (20, 20, 100, 100), "hump": (100, 100, 100, 100)}
"""Between two letters, by how familiar the pair is (``FAMILIAR``). A ``hump`` is a capital after a lower-case letter."""

FAMILIAR: tuple[dict[str, str], ...] = (
    {
        "a": "bcdfgiklmnprstuvwxy",
        "b": "aeijlouy",
        "c": "aehklopsty",
        "d": "deosy",
        "e": "cdglnrstwxy",
        "f": "adefiloruy",
        "g": "ehnrst",
        "h": "eity",
        "i": "bcdefglmnopqrstvxz",
        "j": "eos",
        "k": "en",
        "l": "bdefloty",
        "m": "abekops",
        "n": "cdeghkstuy",
        "o": "bcdfklmnoprstuvw",
        "p": "aelorstuy",
        "q": "u",
        "r": "cdegmnosty",
        "s": "cehkoprstwy",
        "t": "dehoprxy",
        "u": "bcdefglmnoprst",
        "v": "aeo",
        "w": "aehnr",
        "x": "ft",
        "y": "elmnops",
        "z": "aei",
    },
    {
        "b": "rs",
        "c": "ciru",
        "d": "firuv",
        "e": "abefmopqv",
        "f": "t",
        "g": "agilou",
        "h": "amnorsu",
        "i": "ak",
        "k": "dis",
        "l": "aiknpuv",
        "m": "diltu",
        "n": "aflo",
        "o": "aegixy",
        "p": "dp",
        "r": "abikruv",
        "s": "afilmnu",
        "t": "acistuw",
        "u": "a",
        "v": "i",
        "w": "ios",
        "x": "aep",
        "y": "it",
    },
    {
        "d": "agln",
        "e": "hi",
        "j": "u",
        "k": "a",
        "l": "csw",
        "m": "m",
        "n": "inv",
        "o": "j",
        "p": "hi",
        "r": "fl",
        "t": "fm",
        "u": "i",
        "w": "l",
        "x": "ci",
    },
)
"""By first letter, the second letters of the most familiar pairs, of the next, and of the third grade; others are fourth."""

COMMON_HANZI_SAVES = 95
"""What each character of the first level of GB 2312 (3 755 in daily use) counts less than a rare one."""

WORDS = """
about above absolute abstract accept access according account action actions active activity actor actual actually add added
adding additional address adds after again agent agents alert algorithm alias alignment all allow allows already also
alternative always amount amp an analysis analytics anchor and annotation anonymous another answer any anything api append
application applications applied apply apps archive are arg args argument arguments around array as assembly assert assign
assignment assistant async at attempt attr attribute attributes authentication auto automatic available back backend background
bar base based be because before begin behavior being below beta better between binary binding blob block body book bool both
bound break browser buffer build building built but button buttons by byte bytes cache call callable callback called calling
calls can cannot canonical canvas capture case cases cast catch category cause certain certificate change changed changes
channel channels chapter char character charge chat check checking checks child choice choose chrome class classes clear click
client clone close cluster code collect collection collections collector color column com combine command commands comment
comments commercial commit common compare comparison compat compile compiler complete completed complex components computer
concept condition conditional conditions config configuration configure conn connect connection cons consider console const
constant constants constraint construct construction constructor container contains content contents context continue control
controls convert coordinate copy copyright core correct cost could count cover create created creates creating creation
credential credentials credit crypto current currently cursor custom customer dark data date debug decl declaration decode def
default defaults define defines definition delete dependency deprecated description design detail details determine dev
development device dict dictionary difference different dir direct direction directory disable display distributed distribution
div do doc document documentation does don done double down download driver duplicate duration during dynamic each edit
effective either element elements else em email empty en enable encode encoder encoding end endpoint ensure entry enum
environment equal error errors escape eval evaluate even event events every everything example examples except exception
exceptions exclude execute execution existing exit expect expected explicit express expression extended extension external extra
fa factory fail failed failure false family feature features fetch field fields file filename files filter final finally find
finish first flags float flow follow following for form format forward found fragment frame free from front frozen full func
function functional functions further future gateway gen general generate generated generator generic get gets github give given
global greater group groups guide had handle handler handles has hash have having head header headers health height hello help
helper here hidden hide high hold hook host house how html http icon id identifier identity if ignore image implement
implementation import important in include includes increase index individual info information init initial inline inner input
inputs insert inside install instance instead int integer interface internal interval into invalid io is isn issue it item items
iter iterable iterator its join js json just keep key keys keyword kind know known label lambda lang language large last later
layout left legacy len length let letters level lex li lib library license light like limit line lines link list lists literal
load loader loading local location lock log logger logging logic long look looking loop lower machine macro made main make makes
making management manager many map mapping mark markdown marker master match matches material max maximum may mean means measure
media medium member members memory menu message messages meta metadata method methods metrics migration min missing mobile mock
mode model models modified modify module modules more most mouse move moved msg much multi multiple must mut mutable name named
names namespace nav navigation need needed nested network never new next night no node nodes non none normalize not note nothing
notice notification now null number numbers numeric obj object objects observer of old on once one only open operating operation
operations operator option optional options or order org organization original os other others our out output outside over
override own owner package page pagination pairs param parameter parameters params parent parse parser part partial parts pass
passed password path pattern pending per percent perform performance permission person place plain platform plugin plugins point
pointer points policy pool port position possible post pre precision prefix prepare present previous price primary primitive
print prints private problem proc process processing production profile program programming progress project projects properties
property protocol provide provider provides proxy pub public pull push py python query raise raised raises range raw re read
reading reads real reason receive received record recording records rect redirect redis ref reference references regex register
registry regular rel related relative release remaining remote remove removed removing render repeat replace report reports
repository represent request requests require required requires reserved resize resolver resource resources response rest
restaurant result results retrieve retry return returning returns right role root rotate route rule rules run runner running
runs runtime safe same scalar schedule schema scheme scope script scroll search second secret section sections see seen select
self send sent sequence serializer server service session set sets settings setup shared short should show shows signature
similar simple since single site size slice smart so socket software some something sometimes sort sorted source space spec
special specific specify split stack standard start starting state statement static status std still stop storage store stores
str stream strict string strings strip strong struct structure style subject success successful successfully such summary sup
super support supported sure symbols syntax sys system tab table tag tags take takes talk target team template temporary tenant
terminal terms test testing tests text than that the their theme then there these they this those though thread three through
time timeout times timestamp title to together toggle token too tool tools total tr trace traceback track tracking transition
tree trigger true try trying tuple turn two type types ul under unicode union unique unit unknown unless unsupported until up
update updated upload upper url us usage use used user username users uses using utils val valid validate validation value
values variable variables various ve vector verify version very via wait want warning was way we web well were what whatever
when where whether which while why width will window windows with within without won word words work worker working works
workspace would wrap wrapper write writing written yield you your
""".split()  # noqa: SIM905  # a list of quoted words is unreadable
"""One token each, with a capital too, at the start of a text and after a space."""

LOWER_WORDS = """
abc ability able absent abstractmethod accepted accepts across adapter adaptive addition addresses against aggregated algorithms
aliases allocate allocation allowed ancestor annotated annotations appear applicable appropriate archived aren assigned
associated asyncio attached attempts attrs avoid await badge been billing bindings blocking blocks borrow boundary bounds
brackets breakpoint budget builtin cached caching caller capabilities capability captured cargo carry chapters characters
charset checkbox checked checker ciphertext classmethod closed closure cls coerce collected combination communicate
compatibility compatible compiled completely completion computed concrete configurations configured connected connections
connector contain containing contexts contributors conversation copied copies correctly corresponding coverage covered css
ctypes dangerous datetime declare declared decoded decorator decorators defer defined defining definitions dependencies
deployment descriptions descriptor determined developer dimensions directories disabled displayed distinct distribute distutils
docs docstring doctest doesn dream dropped dumps dynamically eager eagerly eat edition effort elif enabled encoded encodings
encrypted encryption ends enforce enough enumerate enums ephemeral equivalent err exactly exc executable executed exist exists
expanded expired explanation explore expr expressions extend extensions extern fails failures fallback faster favicon ffi
filesystem finished fixture fixtures fn followed fonts formats formatter frozenset functools futures generics getattr globals
grammar gt handling hasattr heap heartbeat helpers highlight holds hooks hostname hover href https identifiers iframe ignored
impl implemented implements implicit imported importlib inactive included including inclusive incorrect indent indexing
indicator inference infile initialized insensitive inspect installation installed instances instructions interesting interpreter
intro isinstance issuer issues javascript keywords kinds kwargs languages latest least lexer libraries licenses lifetime likely
limited lineno literals ll loaded locals longer macros maint maintenance managed marked markers matching meaning mentioned might
mime mismatch mutate navigate necessarily necessary needs normalized notation notifications often omit onclick operand operators
organizations otherwise outcome outer overrides ownership packages padding panic parentheses parsed passing paths patterns
paused payload permissions pid placeholder populated popup possibly pragma preference prepared prev prices printed printing
privacy problems processed produce produced programmer programs prompt protocols provided pytest raising rather readable
receiver recommended recorded recursive registered rejected releases relevant replaced reported repr representation requested
requirement requirements resolve resolved responses restart restricted restriction retries returned rights rows rust safety
scenario scoped searching seconds sending sentinel separate separated sequences serialization serialize served sessions setattr
setuptools shall shirt shortcut shortcuts shown sidebar signatures signing sized skills skipped slices slots span specification
specified specifier spend src ssl stable started starts statements staticmethod stderr stdout stopped stored streaming streams
stripped structured structures stylesheet subclass subprocess suffix supplied supports svg tabs td teardown terminate them
thinking threading threads toc tokenizer tokens tracer trailing trait traits treated triggered turned typing unavailable
unchanged undefined unified unittest unsafe unused unwrap updating urllib useful validated validator validators validity variant
variants verbose versions visible warn warnings ways whitespace whose workflows wrapped www xmlns yaml
""".split()  # noqa: SIM905  # a list of quoted words is unreadable
"""One token each, in lower case only."""
