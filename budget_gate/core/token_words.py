"""Words and runs of signs that are one token each, with a space before them or without: data of ``core.token_pieces``.

Measured by us on 2026-11-28 with the public tokenizer of Claude 2 over code and prose in some twenty kinds of file; kept are those
that occur in at least four kinds. How: docs/decisions/0006.
"""

WORDS = """
abort about above abs absolute abstract accept access according account action actions active activity actor actual actually add
added adding additional address adds after again age agent agents alert algorithm alias align alignment all allow allows almost
along alpha already also alternative always among amount amp an analysis analytics anchor and angle animation annotation
anonymous another answer any anything api app append application applications applied apply apps arch archive are area arg args
argument arguments around array as assembly assert assign assignment assistant ast async at attach attempt attr attribute
attributes auth authentication author authorization auto automatic available away axis back backend background bad bar base
based basic be because before begin beginning behavior being below best beta better between big bin binary bind binding bit
blank blob block body bold book bool boolean bootstrap border both bottom bound box branch break broken browser buf buffer bug
build building built bundle but button buttons by byte bytes cache calculate call callable callback called calling calls can
cancel cannot canonical canvas cap capture case cases cast catch category cause cell center cert certain certificate chain
change changed changes changing channel channels chapter char character charge chart chat check checking checks child children
choice choices choose chrome class classes clean cleanup clear cli click client clip clone close cluster cmd code col collect
collection collections collector color colors column columns com combine combined come command commands comment comments
commercial commit common comp compare comparison compat compile compiler complete completed complex component components
composite compute computer concat concept condition conditional conditions conf config configuration configure confirm conn
connect connection cons consider console const constant constants constraint construct construction constructor container
contains content contents context continue control controller controls conversion convert cookie coordinate copy copyright core
corner correct cost could count counter counts cover create created creates creating creation credential credentials credit
cross crypto cur current currently cursor custom customer cut cycle dark dash data database dataset date day days debug dec
decimal decl declaration decode decoder deep def default defaults deferred define defines definition del delay delete delta
dependency deprecated depth derived description design dest destination destroy detail details detect detected detection
determine dev development device dict dictionary did diff difference different digest dimension dir direct direction directory
disable discussion display dist distance distributed distribution div do doc document documentation documents does doing dom
domain don done dot double down download draw drawing driver drop due dump duplicate duration during dynamic each early easy
echo edge edit editor effect effective effects either element elements else em email embedded empty en enable encode encoder
encoding end endpoint ensure enter entity entries entry enum env environment equal error errors escape estimate eval evaluate
evaluation even event events every everything exact example examples except exception exceptions exclude exec execute execution
existing exit expand expect expected experimental explicit export express expression ext extended extension external extra
extract fa factor factory fail failed failure fake fall false family fast feature features fetch few field fields figure file
filename files fill filter filters final finally find finding finish finite first fit fix fixed flag flags flat flatten flex
flip float floor flow focus folder follow following font foo for force form format forward found fragment frame framework free
fresh from front frozen full func function functional functions further future gateway gen general generate generated generation
generator generators generic get gets getting git github give given glob global going good got greater grid group groups guard
guess guide had half handle handler handles hard has hash have having head header headers health height hello help helper here
hex hidden hide high hint history hit hold home hook horizontal host hour house how html http human icon id identifier identity
if ignore image implement implementation import important in include includes increase increment independent index individual
inf info information init initial initialization initialize inline inner input inputs insert inside inst install instance
instead instruction int integer integration interactive interface internal interval into invalid inverse io is isn issue it item
items iter iterable iterator its java join js json just keep key keys keyword kind know known label labels lambda lang language
large last later latin layer layout lazy leave left legacy legend len length less let letter letters level lex li lib library
license light like limit line linear lines link linked links linux list lists literal little live load loader loading loads loc
local locale location lock log logger logging logic long look looking lookup loop loose lost low lower mac machine macro made
magic mail main major make makes making management manager manifest manual many map mapping mark markdown marker mask master
match matches material math max maximum may maybe mean means measure media medium member members memo memory menu merge message
messages meta metadata meth method methods metrics middle migration min minimum minor mirror misc missing mixed mobile mock mod
mode model models modified modify module modules moment month more most mount mouse move moved msg much multi multiple must mut
mutable name named names namespace nan native nav navigation need needed negative nested net network never new next nice night
no node nodes non none normal normalize not note notes nothing notice notification notify now null num number numbers numeric
obj object objects observer of off official offset old on once one only open opening operating operation operations operator opt
optimization option optional options or order org organization orig origin original os other others our out output outputs
outside over overflow override own owner package pad page pagination pair pairs paragraph parallel param parameter parameters
params parent parse parser parsing part partial partition parts party pass passed password past patch path pattern pending
people per percent perform performance period permission person phase pick pickle ping pipe place places plain plan platform
please plugin plugins plus point pointer points policy pool pop port pos position positive possible post pow power pre precision
prefix prepare present pretty previous price primary primitive print prints priority private probably problem proc process
processing processor production profile program programming progress project projects prop properties property proto protocol
provide provider provides proxy pub public published pull purpose push put py python quality query question queue quote radius
raise raised raises random range ratio raw re read reader reading reads ready real really reason receive received recent record
recording records rect red redirect redis reduce ref refer reference references refresh reg regex register registration registry
regular reject rel related relative release remaining remember remote remove removed removing rename render repeat replace
replay report reporting reports repository represent req request requests require required requires res reserved reset resize
resolution resolver resource resources resp response rest restaurant restore result results ret retrieve retry return returning
returns reverse rich right role root rotate round route row rule rules run runner running runs runtime safe same sample save
saved say scalar scale schedule schema scheme scope screen script scroll search second secondary secret section sections secure
security see seed seen segment select selected selection selector self send sent sep seq sequence serializer serve server
service session set sets setting settings setup several sha shape share shared shell shift short should show shows side sig sign
signal signature signed similar simple since single singleton site size skip skipping sleep slice slot small smart so socket
software some something sometimes soon sort sorted source sources space spec special specific specify speed split square stack
standard star start starting stat state statement static stats status std step steps still stop storage store stores str
strategy stream strict string strings strip strong struct structure stub style sub subject submit success successful
successfully such suite sum summary sup super support supported sure switch symbol symbols sync syntax sys system systems tab
table tables tag tags tail take taken takes talk target task tasks team tell temp template temporary tenant term terminal terms
test testing tests text than thanks that the their theme then there these they thing things third this those though thread three
threshold through throw tick time timeout times timestamp title to together toggle token too tool tools top total tr trace
traceback track tracking transfer transform transition translate translation transport tree trigger true trust try trying tuple
turn two type typed types ul under unexpected unicode union unique unit units universal unix unknown unless unsupported until up
update updated updates upgrade upload upper url us usage use used user username users uses using usually util utilities utility
utils val valid validate validation value values var variable variables various ve vector verify version vertical very via view
views virtual visit wait waiting walk want warning was watch way we web week weight well were what whatever wheel when where
whether which while who whole why width wiki will win window windows with within without won word words work worker workflow
working works workspace would wrap wrapper write writer writing written wrong xml year yes yet yield you your zero zip
""".split()  # noqa: SIM905  # a list of quoted words is unreadable
"""One token each, in lower case and with a capital."""

LOWER_WORDS = """
abc ability able absent abstractmethod acceptable accepted accepts accessed accessible acquire across activate activated adapter
adaptive addition addr addresses affect affected against aggregated algorithms aliases aligned alive allocate allocation allowed
alone alternate ambiguous ancestor annotate annotated annotations anywhere appear applicable approach appropriate architecture
archived aren argv arrays ascii assigned assignments associated asyncio atomic attached attempts attrib attribs attrs
authenticate avoid await aware backward backwards badge baseline basename bases become been behaviour behind billing bindings
bits blocked blocking blocks borrow boundaries boundary bounds boxes brackets breaking breakpoint breaks budget buffered buffers
bugs builds builtin builtins bytearray cached caches caching calculated callbacks caller cancelled capabilities capability
captured cargo carry caught ceil certificates cfg chapters characters chars charset charts checkbox checked checker chunk chunks
ciphertext circular clamp classmethod cleaned clicked clients closed closest closing closure cls cmp codecs codes coding coerce
collected combination comes comma communicate compact compatibility compatible compiled completely completion compound
compression computed concrete cond configurations configured conflicts connected connections connector consistency consistent
consume consumed contain contained containing contexts contrib contributors conversation converted converters cookies
coordinates copied copies correctly corresponding counted coverage covered covers css ctx ctype ctypes customize cwd cyan daemon
dangerous dates datetime deadline deal debugger decide declare declared decoded decoding decorated decoration decorator
decorators defaultdict defer defined defining definitions deleted deleter delimiter dependencies dependent depends deployment
deque derive describe described descriptions descriptor descriptors designed desired detach determined developer developers
dicts digit digits dimensions directories dirname dirs disabled discard dispatch displayed distinct distribute distutils docs
docstring doctest doesn dotted drawn dream dropped dumps duplicates dynamically eager eagerly eat edition efficient effort
elapsed elem elif emit enabled encoded encodings encrypted encryption ended endif ending ends enforce enough entered enumerate
enums environ environments ephemeral equality equals equiv equivalent err errno escaped especially etag etc exactly exc
exclusive executable executed executing exist existence exists expanded expansion expiration expired expires explain explanation
explore exponent exported exports expose exposed expr expressions extend extends extensions extern extracted extras fails
failures fallback faster fatal favicon ffi filenames filesystem filled filtered filtering finished fits fixes fixture fixtures
floating flush fmt fn followed fonts footer fork formats formatted formatter frames frozenset fully funcs functools futures
generating generics getattr getter gettext gid giving globals gmail grammar grep grouped grouping gt gzip handled handlers
handling hanging hasattr hashes heading heap heartbeat held helpers higher highest highlight hints holding holds hooks hostname
hosts hover href https identical identifiers identify ids idx iframe ignored img impl implemented implements implicit implicitly
imported importlib imports inactive included including inclusive incoming incomplete incorrect indent indentation indexing
indicator indices infer inference infile infinity inherit inheritance inherited initialized initializer inject insensitive
insertion inspect installation installed instances instantiate instructions integers interaction interesting interfaces
intermediate interpolate interpolation interpreter intersect intro invariant invert invoke isfile isinstance issuer issues
italic iterate iteration itertools javascript justify kept keywords kinds kwargs languages latest leading least leaves lengths
levels lexer libraries licenses lifetime likely limited limits lineno listed listener listeners literals ll loaded localhost
locals locate locked logged longer longest looked loops lowercase macros maint maintain maintenance managed mandatory mapped
mappings margin margins marked markers markup matched matching matter maxsize meaning mentioned merged metaclass middleware
might milliseconds mime minimal minute mismatch mkdir modes modification modifier mostly moves mtime multiline multipart
multiprocessing mutate mutually namespaces nargs navigate nearest necessarily necessary needs newline newlines nonce normalized
normally notation notifications observe occur offsets often older omit onclick ones opacity opened opens operand operators
optimize optimized opts ordering organizations otherwise outcome outer overrides overwrite ownership packages padded padding
panic parentheses parsed passes passing patches pathname paths patterns pause paused payload peek percentage performed permanent
permissions pid pieces pip pkg placed placeholder platforms plural pointed populate populated popup portion positional positions
posix possibly pragma prefer preference preferred prefixes prepared prepend preserve prev prevent prices printable printed
printf printing privacy problems processed processes produce produced prog programmer programs prompt propagate proper props
protected protocols prototype provided proxies pytest qualified queues quite quoted quotes quoting raising ranges rather reach
reached react readable readline readonly reasonable receiver recommend recommended recorded recursive redirects refs regexp
registered rejected released releases relevant reload remain remainder removal rendered rendering repeated replaced replacement
reported repr representation represented requested requirement requirements resolve resolved respect responses responsible
restart restricted restriction resume retain retries returned reuse reversed rewrite rfc rights rounded rounding routes routing
rows rtype rust safety sandbox scenario scheduled scheduler scoped scopes scripts searching seconds seek segments sending sense
sentinel separate separated separator sequences serialization serialize serialized served servers sessions setattr setter
setuptools shall shirt shortcut shortcuts shown sidebar signatures signing silent simplify sized sizeof sizes skills skipped
slash slices slots smaller snapshot sorting spaces spacing span specification specified specifier specs spend splits sqrt src
sse ssl stable stacked stacks stale started starts startup statements staticmethod stderr stdin stdout stmt stopped stops stored
streaming streams stripped stroke structured structures stubs stuff styles stylesheet subclass subdomain submitted subprocess
substr suffix supplied supply supports suppress svg swap tabs targets td teardown tempfile templates terminate terminated them
thinking threading threads ticks timedelta timestamps timezone tmp toc tokenizer tokens tracer tracing tracked tracker trailing
trait traits transitions transparent trap traverse treat treated tries triggered triggers trim truncate truncated tuples turned
twice txt typedef typeof typically typing uid uint uname unavailable unchanged undef undefined underline unified unittest unlink
unpack unquote unregister unsafe unset unused unwrap updating uppercase uri urllib urls usable useful usr utf uuid validated
validator validators validity variant variants vars vary verbose versions visible visited void volatile wanted warn warnings
ways weak weakref whitespace whose workflows wrapped wrappers wraps writable writes wsgi www xmlns xor yaml zlib
""".split()  # noqa: SIM905
"""One token each, in lower case only."""

OTHER_WORDS = """
ABC ACCEPT ALL AND ANY API ASCII Apache Apple AssertionError AttributeError BASE BEGIN BLOCK BSD BUILD BytesIO CACHE CLASS
CLIENT CODE COMMAND CONFIG CSS Converts DATA DEBUG DEFAULT DELETE DIR DOM Darwin DeprecationWarning END ENV EOF ERROR EVENT
FALSE FILE FILTER FIRST FLAGS FLOAT FOR FORMAT FROM FUNCTION Foundation GCC GET GLOBAL GNU HAS HEAD HEADER HTML HTTP HTTPS
However INDEX INFO INPUT INT IPv ISO JSON JavaScript KEY KeyError LEFT LICENSE LIMIT LINE LIST MAGIC MAX METHOD MIN MIT MODE MSG
NAME NONE NOT NOTE NULL NUMBER NotImplemented NotImplementedError OPTIONS OSError OpenSSL OptionParser Ordered OrderedDict PATH
PEP PIPE POST PREFIX Promise READ README REQUIRED RETURN RFC RIGHT ROOT Removes RuntimeError SERVER SET SHA SIZE SOURCE SSL
START STR STRICT STRING TCP THE TIME TIMEOUT TLS TOKEN TWO TYPE TypeError UNIX URI URL USE USER UTC UTF UUID Unable Unlike VALUE
VERSION ValueError WARNING WIN WITH WRITE WSGI XML
""".split()  # noqa: SIM905
"""One token each, as they are written."""

SIGNS = r'''
!! != "" """ """, """\ "") ""). "", "". "": "# "$ "% "' "( ") ")) "), "). "): "); ")[ "* "+ ", "," "- "-- ". "." "/ ": ":" ";
"< "> "[ "\ "] "_ "` "{ ## ### #: $( ${ && &= '" '# '$ '% '' '') ''), '', ''. ') ')) '), '). '): '+ ', ',' '- '-- '. '/ ': ':'
'; '< '[ '\ '] '_ '{ (! (" ("", ("% ("- ("\ (# (% (' ('% ('. ('/ ('< ('_ (( ((" () ()) ()), ()); (), (). (): (); (* (** (-
(...) (: (< ([ ([' ([], (\ (_ (__ (` ({ ({}) )) )), )* ), ). ): ); )[ )\ *( *) ** **_ *, *. */ *= *_ ++ += ," -$ -( -- --- -->
-= -> ." .* .. ... ...) ..., ...] ./ ._ .__ /* /** // /> :" :") :", :( :- :: :] :]) :], </ << <= =" =' == === => =[ >', >= >>
>>> ?" @_ [" [% [' [( [* [- [[ [] []) [], []} [_ [{ \" \\ ]" ]) ])) ]), ]* ], ],[ ]. ]: ]; ][ _( _) _, _. _: __ _{ `- `. `_ ``
``` {" {' {{ {} {}) {}, |\ || }) }), }); }, }. }; }\ }] }}
'''.split()  # noqa: SIM905
"""One token each."""
