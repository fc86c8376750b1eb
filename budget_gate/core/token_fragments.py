"""Parts of words and of runs of signs that are one token each, in ten scripts: data of ``core.token_pieces``.

Measured by us on 2026-11-28 with the public tokenizer of Claude 2, over documents in forty languages, a declaration in a hundred and
thirty more, and code of twenty kinds; kept are those that spare the most where a language or a kind weighs the most. How:
docs/decisions/0006.
"""
# ruff: noqa: RUF001 - letters of other scripts look like ours

EITHER = """
AA AB AC ACCESS ACTION AD ADMIN AFTER AG AL ALA ALLOW AM AN ANG AP APIC APP AR ARE ARRAY ART AS ASSERT AT ATTR AUTH AUTHOR
AUTHORS AUTO Ab Ac Acc Accounts Act Activ Activation Ad Adjust Al Albert Alle Alt Alter Altern Anal Ant Ap Ar Arrow Art Article
Ass Audio Aw BACK BACKGROUND BAR BB BE BERT BLACK BLUE BO BOTTOM BR BUTTON Bang Bat Ben Bl Bra Bro Broadcast Builder Bus CALL
CAR CASE CAST CC CD CH CHANGE CHANNEL CHAPTER CHAR CHARACTER CHECK CIR CMS COLOR COLUMN COMM COMP COMPLE CON CONF CONN
CONNECTION CONST CONT COPY COUNT CP CR CREATE CT CTRL CURRENT CUSTOM CY Cal Calendar California Camb Car Ch Charles Christian Cl
Classic Clause Colon Compar Con Conflict Cont Contact Cop Cor Ctrl DATABASE DATE DB DE DEPRECATED DESC DESCRIPTION DESCRIPTOR DH
DI DIRECT DIRECTION DISPLAY DIST DO DOCUMENT DOMAIN DONE DOT DOWN DROP Daniel Das Dat DateTime David De Den Depend Deprec Der
Des Descript Det Determines Devices Di Diagn Dialog Die Directive Dis Disk Draft EC ED EDIT EE EL EMAIL EMPTY EN ENGINE ENT ER
ERR ES EST ET EXAMPLE EXAMPLES EXIT Education Ein Ek El Engine English Ent Er Es Esc Est Estado Everyone Evolution Ex Exp Expl
Explorer FAIL FAILED FAKE FAST FE FEATURE FF FI FIL FINAL FORM FREE FULL Facebook Far Fer Fil FileName FileSystem Fra Fran Fre
Furthermore GENER GENERAL GL GPL GRE GROUP Gab Ge Generates Ger Google Gu HA HAND HAR HAVE HE HEIGHT HERE HIGH HIST HO HOLD HOME
HOST Hand Har Hardware He Her Hill Hy Hydro Hyper IA IB IC ICC ID IDE II IL IMAGE IMPORT IN INCLUDING INFORMATION INITIAL INSERT
INST INTEGER INTER INVALID IO IP IR IS IT ITEM Il Inc Ind Inter Internet Interpre JOIN JS Jim Jon Jul KE Kal Ken Keyboard King
Kir Kn LANG LAST LAT LE LED LEVEL LINEAR LINK LL LO LOAD LOCAL LOGGER LONG LP LT La Las Le Les Licensed Los Luc MA MAC MAIL MAIN
MARK MASTER MAT MD ME MEDIA MER MESSAGE METH METHODS MIME MM MOD MODEL MODULE MORE MT Ma Man Mar Mas Matrix Men Michael
Microsoft Mint Mit Mo Mon Monitor Monitoring NAT NEXT NN NO NODE NON NORMAL NOTICE NUM Na OBJECT OC OF OK OL ON ONE ONLY OP OPEN
OPER OPTION OR ORDER OS OT OTHER OUTPUT OVER OWNER Om Online Ord Organ Organisation PACK PAGE PAR PARAMS PART PASS PASSWORD PD
PDF PER PHOTO PL PLAY PLUGIN PO POINT POINTER PORT PP PRIMARY PRINT PRIVATE PRO PROC PROFILE PROGRAM PROJECT PS PU PUBLIC PYTHON
Pages Panel Pap Par Para Parents Pas Paul Perl Pers Personal Pet Phil Photo Picture Por Pour Preferences Press Pro Propag QU
QUEST Qu RA RAW RE REAL REFER REMOVE REPORT REQU REQUEST RESOURCE RESPONSE REST RESULT RGB RO RS RTC Ren Richard Rod SAMPLE SAVE
SCREEN SCRIPT SE SECOND SECRET SECTION SECURITY SELECT SERV SERVICE SESSION SETTINGS SH SIGN SIGNAL SITE SM SMALL SOFTWARE SP
SPACE SPAN SPECIAL SR SS ST STAT STATE STATIC STATUS STEP STOP SU SUB SUCCESS SUPER SUPPORT SY SYSTEM Sat Scanner Sch Se
September Sh Shadow Si Sie Sk Sp Spe Spring St States Ste Su TABLE TARGET TASK TE TEMP TEMPLATE TER TEST TESTS TEXT TH THIS TI
TIFF TITLE TO TOTAL TP TR TRANS TREE TRUE Te Technology TestCase Therefore Thomas Ti Tim Timer Todo Touch Transaction Tri
Triangle Ty UE UI UINT UL UM UN UNION UNIQUE UNIT UNKNOWN UP UPDATE UR US USB USERNAME Ubuntu Um Un Uniform United University
Unt VAL VALID VALUES VARI VE VERBOSE VIEW VOLUME Ver Vers Video Vis Visual Vol Volume Vous WAR WEB WHAT WHERE WHITE WIDTH WORD
WORK Watcher Wild YA YAML YEAR YOUR YYYY Ze aa aan ab abund aby ac acc accent accessor accord accounts ace aci ack acquisition
act activ activities acts acute ad adam adapt ade aden adjust admin advance ae af aff ag agar aged agenda ages ago ah ai aid aim
ain air ais aj ak aka akin akt al ale alg ali alien alk alla alle alo alphabet als alt alter altered altern am amb ambient amen
ami amin ampl ana anal anc ance anch ang ange angel ank ann anne anno ano ans ant ante anterior antes anti ants ao ap apache
appearance apro apt aque ar ara arc archivo ard ari ark arm aro arr arri arrow art ary asc ascending ase ash ask asm aspect ass
associ association asy atan ate aten ath ats att attacks au auc auch audio auf augment aur aus aut authors autom autor autre aux
av ave aven average avez avoir aw awa ax ay az ba bab backslash backup backups bag bak bal ban bang bare bas bash basis batch
battery bb bed bei bel belief bell bem ben benchmark benef ber bere bert bes bet bg bi bid bil bio bl black ble blink blo blue
bmp bo bol bon bookmark bookmarks boot bor born bot bounce bp br bra bran bras bread brightness browse bs btn bu bul bulk bull
burg bus ca cable cad cal calc calendar calib calibration camera camp candidate candidates cant cantidad capac capacity capt car
card cards care cart cas cat cc ccode cd ce cent cer ces cess ch cha chan changelog che cher chi cho chooser chosen chr christ
ci cif cipher cir circ circle cit ck cl clas className classic classname clause clipping clock cnt co cod coded cogn collapse
combin combinations comm committed community compar compl comple compliance compress compressed computers con cone confirmation
connecting consent consist constit constrained constraints cont contact contacts contr contra contrast controlled conv cop cor
cores coroutine correction cos cou country cour cp cr cre cri crit critical crop cs ct cu cul cum currency cuts cy da dad dados
dam dan danger dar das dat dated datos dav david db dd de deactivate deb debian declar degree delegate deletion dem den depend
der dern des desc descendants descending desktop dess det determin deut devices df di dia diag diagram dialog dic die dies dif
difficult dig digital dim din ding dip dire directive directives director dis disc discipl disconnect discrimin disk distrib dit
divide divis django dont door dos downloaded dr dra draft drag dre drive drivers dro dropdown drug ds du dummy dun dup dur
durations dy ec ech ect ed editable edited editing educ education ee een ef eg eh ein eine ej ek el ela ele elf elim ell ella
elle eller elo elt ema emb embed emo emp emphasis empresa ename enc ende ener eng engine ens ensemble ent enth entities entrada
entre ents eo ep eq equ equip er era erre erro ers es esa esc ese esp ess essa esse essential est estado estate este et eta ett
ev ew ex excess execut exp experience expl expressed ey fabric fac falls fam far favor favorite fe fecha feedback fel fen fer ff
fi fic fich fichier figures fil fileName filePath fin fl flask fo fois fol folders fon fore foreach forms forth foundation four
fp fr fra frac fre frequency fri fs ft ful fullname fun fund funk fut ga gab gal gam gan gang gap gar gdb ge ged gel geme gener
gent ger ges gest gew gg gh gi gl gle glyph gm gn gnome go gon government gr gra grad gradient gran graph graphics grave gray
grey gro grup gu gui gun gy ha hab hal halt ham han hand hands hang hap har hardware hat hay hbox he hel hen her hes het heter
heure hi hill hin his hist ho hol hom hon hood hor hora hot hours hr ht hu hue hug hull hum hv hydroxy hyper hyphen hö ia ib ic
ice ich ici ida ide idea ident idi ie iff ig ign ih ii ij ik il ile ill ils im images immediate imp importance inc inch incl ind
inde indexed indic individ indu inform ing ingen ini inic inicio ink inn ins inserted installer instant instit instr instrument
instruments inte intent inter interact interests intern internet interpre interpret interrupt intersection introdu introduction
inv invalidate ion ions ip ips ir ische iso isolated iss ist ith iv ix iy iz ja jal jam jan jar je jer jet jo job joy ju jud ka
kal kan kar ke kel ker kern kernel ket keyboard ki kill kin kit kk kl kle kn ko kol kom kon ks kst kt ku kun kw ky la lab lag
lamb lan land lap lar las lat latex launch law lay ld le learn lect led leg legal lem lens ler les leur lev libert lic lie life
lig ligne lik lim lin ling lint lique lis lista liste listing liv liver lo locales located locations locator login logo lon los
losing lp ls lt lu luc lun lung ly lä ma mad mag mai maior mak mal mall man mana manage mand mant manufacturer mar marks mart
mas mat mate mater matrix maxim mayor mb md me med medi median meg mel mell mem memb men mens ment menus mer mere mes met metro
mi mid migrations mind mine minus minutes mis miss mit mk ml mm mo mob modal modern modifiers modo mon mongo monitor monitors
mont months mor mot mounted movement moving mp mpl ms msgid mu mud mul mult multip multiply mund mus music my même na nag nam
nap nas nat nation national natural nd ne necess neg nem nen ner ng ni nic nie nil ning nl nn noch nod nodeName nom nombre nome
nor nos nost nou nov nova ns nt nu numer nut ny né ob oblig obtain oc och od ode oder oe offic oft og oh ok ol ole om omin onde
online ont onto oo op opcion oper opinion orange ord orden ordered ordin ordinal ore ores organ ori orient orientation orn oss
ost ot ou oun outline ov overview ow oy oz pa pace pack pads pag pages pain pal pan pane panel pap paper par para parame pare
parents parte particip partitions pas pat pay pdf pe pel pen penalty pend pent perc perf periodic perl perm pero pers persistent
personal pert pes pet ph phil phone photo photos physical pi picker picture pile pixel pl placement plant plat play plug pn png
po pod pois pol polit political polling pon por ports pose posit poss posterior postgresql pot pour pp pr pra practice preamble
prec preced predicate preferences prefs pres presentation press pressed preview pri prim prime primer principal printer printers
prior priv pro proble prod produ producer product prof professional profiler profiles programa proj prom propri protect
protection prov prove providers ps pt ptr pu publish puis pul pulse pun pwd px qu quad qual quant quarter que quel quer queryset
quest questions qui quiet qué ra race rad radio rag rage rain ram ran rand rans rap ras rat rate ration rav ray raz rc rd
reachable readers rec recognition recognized recon recover recur reduced region registr relations relax rem remo ren rend repair
repet repo requ rer reserve resol ress rev review revision rez rgb ri rib ric rid rif rig rim rin ring rip ris rise rit rl rm ro
rod rol roles roll rom roman ros rot rotation routine rst rt ru ry ré sa sal sam samp san sanitize sans sap sar sat satisf
saturation sc scan scanner sch sche scient scientific screens screenshot se sea sec sect sed seg sein sel sem sen sens separ ser
series serv serves servic services ses seus sh shadow sharing she si sibling sid sie signals sim sin sit sk ski sl slider sm sn
snippet soc social soft sol solid solo som son sor sound sp spread sql squ ss st sta stand standalone ste sten ster stick sticky
sto stock stor stra stre street stretch sty su subs subsection subst substit substring subtree suff sur surface sus sv svn sw sy
symbolic syst sz ta tableau tal tam tan tang tap tar tat te tel tele tem tempo temporal temps ten tend tent ter termin tes tet
tex texte texto th theta ti tib tic tid tied til tiles till tim tin ting tip tipo tips tl todo todos toks tolerance ton toolbar
tooltip topic tor tot tou touch tout tox toy tp tra trade trail trans transaction translated translations translator tre
treatment tres tri triangle triangles tro ts tt tu tur turning tw tx ty typ typename tz té ua ub ubuntu uc ud uf ug uh ui ult um
uma umb un una unc und une uni uniform unk uno unpacked uns unsigned unt unter unto uploaded ur urn ush uso usu usuario ut uter
uv va vag valor van vari vat vbox vel ven vendor vent ventana ver verb verification vers vert vertex ves vet vez vi vid video
vil vill vin vir virt vis visa visibility vision visual vit vo vol volume von vor vos vous vé wa wagtail war wat watcher wc
website wed wel wen wer white wi wid widget wie wireless wish wo world wy xe xy ya yahoo yang ye years yi yn yo yr ys yt za ze
zen zer zh zi zo zone zu zz är ça été être ún über из им ин на не об од оп от пол ра ре ст то
""".split()  # noqa: SIM905
"""One token each, with a space before them or without."""

INSIDE = """
ABILITY ABLE ABOUT ACCEPTED ACCOUNT ACKET ACTIONS ACTIV ACTIVE ADDR ADDRESS AGENT AGES ALIAS ALIGN ALLOWED ALPHA ALTER ALWAYS
ANA ANAL ANCE ANCH ANGE ANGLE ANN ANT ANTI ANTS APPEND APPLICATION APPS ARB ARCH ARCHIVE AREA ARGS ARGUMENT ARROW ASH ASSIGN ATA
ATER ATION ATOR ATTRIB ATTRIBUTE ATTRIBUTES ATTRS ATURE AUDIO AVAILABLE AVERAGE Accessor AddTo Arrays Attrib BACKEND BACKUP
BASIC BATCH BINARY BIND BITS BK BLANK BODY BOLD BOOK BOOL BOOLEAN BOOT BORDER BOTH BOUND BRANCH BREAK BUFFER BUILT BULK BUNDLE
BYTE BYTES Bracket CALENDAR CALLBACK CAMERA CANCEL CANCELLED CAPT CARD CATEGORY CELL CENT CENTER CERT CHAIN CHANGED CHANGES
CHANNELS CHANT CHARS CHART CHAT CHECKING CHILD CHOICE CHOICES CHUNK CK CLAS CLASSES CLEAN CLEAR CLICK CLIP CLOCK CLOSE CLOSED
CLUSTER CMP CODES CODING COLLECTION COLORS COLUMNS COME COMMANDS COMMENT COMMIT COMMON COMPAT COMPLETE COMPLETED COMPONENT
COMPRESS COND CONDITION CONFIRM CONNECT CONNECTED CONS CONSOLE CONSTANT CONTACT CONTAIN CONTENT CONTEXT CONTROL CONV COOKIE
COOKIES CORE COST CREATED CRITICAL CTION CTX CTYPE CURRENCY CURSOR CYAN Callbacks Capabilities Checked Checker Chunk ComboBox
Completion Constraints Contain ContextMenu DARK DASH DATASET DATETIME DAYS DECIMAL DECL DEFINE DEFINED DEFINES DELAY DELETED
DEPTH DEST DEVICE DEVICES DIAG DIALOG DICT DIFF DIRECTORY DIRS DISABLE DISABLED DISK DISTANCE DJANGO DOUBLE DOWNLOAD DRAW DRIVE
DRIVER DUMP DURATION DYNAMIC Decorator Defined Descriptor Digit Directories ECHO EDGE EDITOR ELEMENT ENABLE ENABLED ENAME
ENCODING ENDED ENDING ENDPOINT ENDS ENTER ENTITY ENTRY ENTS ENUM ENVIRONMENT EQUAL ERE ERRORS ERT ESCAPE ESS EVAL EVENTS EXCEPT
EXCEPTION EXEC EXECUT EXIST EXPAND EXPECTED EXPORT EXTENDED EXTENSION EXTENSIONS EXTERNAL EXTRA Emit Enabled Equals EventHandler
Exists Extensions FACTOR FAILURE FEATURES FIELD FIELDS FILENAME FILES FILL FIND FINISHED FITS FIXED FLAG FLOW FLUSH FOLDER FONT
FORCE FORE FORMATS FORMS FORWARD FOUND FRAME FRONT FUNC Fallback GATEWAY GENERATED GLE GRAD GRAN GRAPH GRAY GRID HANDLE HANDLER
HASH HEADERS HELP HI HIDDEN HIDE HIGHEST HISTORY HOOK HORIZONTAL HOSTNAME HOSTS Handlers Helpers Hooks ICAL ICATION ICON IDENT
IDENTIFIER IFY IGHT IGNORE ILL ILLA IMAGES IMPLEMENT INCLUDE INCREMENT IND INDIC INFRINGEMENT ING INGS INIT INLINE INSTALL
INSTALLED INSTANCE INTERFACE INTERNAL INTERVAL ION IONS ITEMS ITER ITHER ITY Impl Indices Inference Ini Intersection JUST KEEP
KERN KEYS KEYWORD KILL KNOWN LABEL LABELS LAND LANGUAGE LARGE LAYER LECT LENGTH LESS LEX LIBRARY LIGHT LINES LING LIVE LOADER
LOCALE LOCATION LOCK LOGGING LOGIN LOGO LOOP LOWER Listener Logical MACHINE MAJOR MAKE MANAGER MAPPING MARGIN MARKDOWN MARKER
MASK MATCH MATH MATRIX MEAN MEDI MEMBER MEMORY MENT MENU MERGE MESSAGES META METADATA MIDDLE MIDDLEWARE MINE MINUS MISSING
MODULES MONGO MONT MONTH MOUSE MOVE MULT MULTI MULTILINE MULTIP MULTIPLE Matcher Mismatch ModifiedTime Modifier NAMES NAMESPACE
NEAREST NESTED NETWORK NING NODES NOME NOP NOTES NOTIFY OFFSET ONES OPERATION OPERATOR OPTIONAL OPTS ORDERED ORGAN ORIG ORIGIN
ORIZONTAL Opacity Operators Orientation PACKAGE PACKAGES PADDING PAIR PARAM PARAMETER PARAMETERS PARE PARENT PARSE PARSER PATCH
PATHS PATTERN PAUSE PAYLOAD PENDING PENT PERIOD PERMISSION PERSON PHASE PHONE PING PLACE PLAIN PLAN PLATFORM PLUG PLUGINS PLURAL
PLUS POINTS POLICY POOL POSE POSIT POSITION POWER PREC PREDICATE PREPARE PRESENT PRESS PREV PRIOR PRIORITY PRIV PROCESS
PROCESSING PROD PRODU PRODUCT PROGRESS PROP PROPER PROPERTIES PROPERTY PROTECT PROTO PROTOCOL PROVIDER PROXY PUSH Perspective
Polling Preference Printer Props Prototype Pulse QUAD QUAL QUARE QUER QUERY QUESTION QUEUE QUOTE RADIUS RAIN RAN RAND RANDOM
RANGE RATE RATIO RATION REACH READONLY READY REASON RECORD RECT REDIRECT REDIS REFERENCE REGEX REGION REGISTER REGISTR REGISTRY
REJECT RELEASE REMO REMOTE REMOVED REPLACE REPO REQUESTED REQUESTS REQUIRE RESERVED RESET RESOLUTION RESP RESS RESULTS RETRY
REUSE REVIEW RING ROLE ROLL ROUND ROUTE ROW ROWS RULE RUNNING Ranges Released Resolve SAFE SAME SCALE SCAN SCHEDULE SCHEMA SCOPE
SCROLL SEARCH SECONDS SECURE SEED SEEK SELECTION SELECTOR SELF SEND SENT SEPAR SEPARATOR SEQUENCE SERVE SETS SETUP SHAPE SHARED
SHELL SHIFT SHORT SHOW SIDE SIGNED SIMPLE SINGLE SKIP SLEEP SNAPSHOT SOCIAL SOCKET SORT SOURCES SPEC SPECIFIED SPEED SPLIT
SQUARE STACK STAND STANDARD STAR STARTED STATS STDOUT STEPS STER STOCK STOPPED STOR STORAGE STORE STRA STREAM STRONG STRU STRUCT
STYLE SUBJECT SUBS SUFFIX SUMMARY SUPPORTED SWITCH SYMBOL SYNC Scheduled Semantic Separator Shown Sibling Span Suggest TABLES
TAGS TAIL TEAM TEMPLATES TERM TERMIN TERNAL TESTING THREAD THREADS THRESHOLD TICK TIES TIMESTAMP TING TOOL TOOLS TOOLTIP TOPIC
TRACE TRACK TRANSLATE TRIGGER TXT TYPES TeX TestSuite TimeStamp ToString Toolbar UBLE UD UNDEFINED UNDER UNICODE UNSUPPORTED
UPLOAD USAGE USED USERS USES UST UTE Uint Undefined VALIDATION VALIDATORS VARIABLE VARIABLES VARIANT VENDOR VENT VERB VERIFY
VERS VERSIONS VERT VERTEX VERTICAL VERY VIDEO VIRT VIRTUAL VISIBLE VISION VOID Visibility WAIT WALK WARDS WARN WAYS WEEK WEIGHT
WHITESPACE WIDGET WINDOW WINDOWS WORDS WORLD WRAP WRONG Warn ZERO ZONE Zm aac aba abe abel abil abl ables abu aca acer ach acht
acio acion acional aciones ación aco ada adamente adas ades adh adi adie adir ado ador adora adores ados ael aga agen agi agtail
aha ahan ail ailing ained ainer ains aint aire aires ait aja ajo ake aki ako aku ala alam alan alar ald alement ales alex allen
alls alse altung ama aman amanho amar amat amba amble ame ament amente amento amentos amiento amil amma amo anan anced ancia
anda ande ander andi ando andre ands ane anel anela anes anga angan ango angu ani ania anie anna annie anny anta anto anya anz
anza apa apis apped appendChild aq arabic aran aration arbeit arde ares aria aring ario arios arn arna ars arse arta arum ará
asa asan asi asion aspx assertEqual assertFalse assertIn assertIs assertIsNone assertNotIn assertRaises assertTrue assing asta
aste aster ata atal atalog atar atches ated ater atern ates atex ati atim ation ations atis ativ ativo ato ator ators atos atten
atu atum atur atura atz auche aude aume ava avia avier aya azar azi azione ação ações bach beit bers bla buch ccion cciones
cción ced ceso cessed chaft chen ches chied chmod cht chte cisco ción cla clam clamation cles clu combobox cript cter ctions
ctor culo dade dddd dela displaystyle dition ducation duction eda eder ekt eld elen eli ellen elling els ement emplo ena ence
enced enci encia encias enda enden ender endo endswith ene enen eni enn enna eno ense ensuremath ente entes enti enty enu erable
eral eras eration erc erca erd ere ereference eren erg eri ering erior erk ern erna erno ero ert esome ete eter etin eto ets
ette ewee ference ferred ffic filer firstChild forEach forme garde geb geben gende gesch getAttribute getElement ging gnu gpl
greek gres gue halten hed heit hend hib hler hn iae iais ial iam ian iang iant iar ias iat iation iba ibe ibi ibil ibility ible
ibles ibr ibus ica ical iche ichen icher ichi icht ichtig iciente icio icion ición ick icken ico icol icos ict idad idade idades
idas iden ider iding ido idos iece ied iedad ief iel ien ient iente ientes ientific ientras ier iera ieren iers iert ierte
ierung ies iese iet ific ifica ificado ificador ificar ification ifications ified ifier ifiers ifik ifndef ify iga ige igen iger
ighed igkeit igo igt igu ija ije iji ijk ijn ika ikan ike iken iki iko ikt iku ila ild ilde ilen iler iles ili ilia ilih ilit
ility ilk illa illas ille ilo ilt ima imb ime imension iment imento imi imiento imit imo ina inal inar inate inden indexOf indi
indo ine inen iner ines inger ings ingu initializers inki innerHTML ino inta iny inz ional ione iones ioni ior ios ipp iqu ique
iques ira iration ire irement ires iri iring irm iro iros isa isateur isation isch ischen ise isen iser ish isi isk iska ism
issa isse ista iste istem isten istent ita itar itas itat itate ite ited itement iten itet iti ition itive ito itor itos itt itu
itus ity itz itä ität ité iu ium ius iva ivalent ivamente ivan ivar ivas ive ivel iver ives ivid ivities ivo ivos ixo iza izada
izado izar ização ize ized izer izers izz ição ière ió ión jamin jang ject jen ji jon jor jpg jquery kat keit ken kes kip kir
lec lection lemen lement lia lich liche lichen licher ließ ließlich liga ligt lj lla lor mbol mente ments menuitem metros
microsoft mitted mozilla mple mplement msgstr nal navbar ncia nda nder ndra nea nes ness nez nik nings nis nodeType npm oa ocar
oci ocomplete ocê oda odos ofs oga ograf oka oko ola olin oll ollen olo olved oma omb ombre ombres ome omen omes omic omm ommen
omo omp oms ona ond onder ong oni onn ono ons ony oom oon oped openssl opf opher opol opro ora orama oren orge oria oring orio
orno ors ort orte ose osi ostic ostics osto ota ote otes oto otos ots oud ount ourable ous ousel oute outon ova overline
paration parentNode pect pertoire plic plicable pression qa ques quez quier quin quis rada radas rado rant rar rast rea realpath
recuencia reo resses ression rett ria ribut richt rie rier riff rification rift rightarrow rik rill rime rimin rimir rinsic
rique rir ritis ritt riv rive rlich ron roup rue rung rä schen sects sellschaft setAttribute setz setzt sion sourceforge spinner
spr ssa ssion sso sson sted stell stellen stellung sterisk stitution strar stringify stru structuring ständ stü superuser sweise
tember ters textarea tiff tion tions toString ual uan uar uch uda ude udge ue uede uel uelle uen uer uestra uetooth uge ugh uit
uj uk uka ukh uki ula ular ule uli ull ulo ulse ulu ume umen ument umi umn ump unal unct unden ung unga ungen ungs unidad unque
unte untos untu uo upa uper ura uran urar uration ure uren ures uring uris uro urs usa ushi uss ust uta ute uted uth uti ution
utions uto utz uve ux uy uz vaux veis velop viii wal wan webkit ween weise wend wikipedia xer ximo yan yst ystem zeich zes zeug
zial zie zt zy ßen ßer ál án ánd ário ários ás át ática ável ão äh ährend äll ält än änd änder äng ät ätt ån år ço ços ção ções
ème ère ères éc ée ées ém ément én ér éri éric érie és ét ência ências ía ín ít ível ña ño ón ório ów ões ön ör ück ün ür ürgen
ın ır ав аж аз ай ал аль ам ан ар ат ать ва ед ей ек ел ем ен ени ение ения ент ер ест ет ется ив ис ист ит ите ить ка ки ли люч
ни но ного ност ные ный ных обы ов ог ого ож ой ок ол ользов олько ом он ор ост рав ран ри ру ств ся ть され する ます イル ファ 文件
""".split()  # noqa: SIM905
"""One token each where no space stands before them."""

SPACED = """
ABOVE Ahmad Akt Alexand Aus BASIS BELOW Beispiel Benjamin Bernard Bild Bluetooth Bruno Bull Burg CAPITAL CONDITIONS COPYRIGHT
Campbell Claude Consul Corporation Crist DVD Daten Debian Depending Dien Dies Displays EXPRESS Esta Estados FITNESS Falls Fest
Fol Francisco GNOME GREEK Gent González Grund Guill Hend Hughes Hugo IMPLIED Isaac Justin Kl Klein Kont Kra LATIN LETTER
LIGATURE LaTeX Maint Mario McC Menschen Mick Natalia Nathan Nation Nations Nicol Nicolas Ober Otherwise PARTICULAR POSIX
PROVIDED PURPOSE Philipp PlayStation Raf Religion Rights SAR Sant Santos Sebastian Stein Tamb Tiff Unter WARRANTIES WITHOUT
Whereas Wolfgang Zeit abbreviation aber accidental accidentally accurate achievement advancement ainsi aktiv algun alguns allo
allowing andere anderen apenas aplic appar appears appointments arbit arbitr arbitrarily arbitrary argc arquivo artistic asked
assist assistance associations así aument aussi automat autres avant avec beh beings beispiel belonging bez bibli bien bigint
bir cada calibrated camb cara caract caracter caracteres carp carpet caso casos cette cham chaque clicking coinc coincide
commande comme commence commun como compart compartment compelled compilation complet comport comprom compte comput concern
configurable conjunto conscience conse considered consists constantly constitute constitution conta conten continu contrary
contre converting cooper copying correspon correspond cualquier cuando cuenta cultural curse có damit dang dann dans dass debe
declarations defect defin della democratic dentro deprived dere desde dese desen después destruction deve dever diese dieser
dieses difer diferentes difícil dign dignity directly displaying displays dispon dispos disposed dissolution distinction divers
documented docutils doit donde donn dragging durante durch dé déf dés efect efter einem einen einer eines electr elementary
elemento elementos elsewhere enclosing encontrar encountered endfor enjoy ensuring entire entitled entsprechend enviar escol
espa espec especial esper esta estar estas está están estão everyone exemp exemple exemplo exerc existe expans explicitly expres
faire fazer finds finest follows fonction fond forma formatting freed freedom freely funcion función fundament fundamental
função för für garant gast gegen generally gleich governing grande grat guilty haben habitual hacer hasta hearing hexadecimal
himself hombre however ignor igual ihren ikke immediately impartial implied importante impress inaccurate independ indicates
indicating indisp inferior informations innocent inser instanceof intended interference internation interpreted invocation
invoked isso itself jQuery jama jed jest jur jurisdiction kann kay keine keyboards kommer kont kulture können laptop larger
lateral lecture lent liber lighting limitation limitations lors lub lugar lí maintained mais mane mang manually manuals marriage
mehr melhor menos mesmo mismo modelo moins momento moral mostrar multimedia mundo má más mé möglich müssen nach nationality
nations neces nicht niet novo nun nur não nécess número números obligations observ offence ohne omitted opinions organiz otra
otro otros outra outro outros pairing palab palabras pant partic participate particular partir pasta país pela pelo penal
pendant peoples perman permanently perme permit permitted persecution persona personality personne pertinent pessoa peut
photograph pode poder política porque possível pou precis prefixed prem premier presses pressing previously primeiro princip
principles problema problemas procedures processo programme progressive prohibited projet promise promote properly prote proved
pré présent pró pued puede puls purposes på públic qualquer quand quando quantidade quickly rapid rapport realization recal
recurs recursively redirection redistribute referenced refers regardless regist relig religion removable renamed replaces
represents reprodu reputation respe resposta restored restrictions resultado resultados resulting rá rés sais sane segundo
segurança seine seja selbst selecting sempre separators sera servi será seu sich sicher signific siguiente sind sine sist
sistema situ slavery slightly sobre soci society soit soll somewhere sont sop sou sous sovereignty sowie standards sua suas
subjected substitution suiv superior supplemented sust switched são sä så sé só sólo tak tales también também tamp tangent tant
tanto tatsäch teaching technologies temporarily tener territ territories themselves therefore tiempo tiene tienen toda todas
touches toujours tous toute toutes trabajo trabal trabalho traditional trav trib trouver tut têm underlying underneath
unemployment unidades univers usar vai valeur valores vara veces verbatim verificar verschied vezes vida viewing violation vista
você voor votre väl warranty weiter wenn werden whisper wieder wird worden wurde yourself zijn zum zur zurück zusammen zwischen
Über également öffent öffentlichen último вы для или как котор мож пер по под посл пр при про раз так файл что
""".split()  # noqa: SIM905
"""One token each together with the space before them."""

EITHER_SIGNS = r"""
%% %( ($ *** ,\ -. -\ ../ /// /\ <!-- =\ @@ [. [\ \( \, \- `\ {% {\
""".split()  # noqa: SIM905
"""One token each, with a space before them or without."""

INSIDE_SIGNS = r"""
!!!! !-- "/> ">< "?> "], "}, '); '} ("_ (){ (... )( ))) )); )</ )? ){ )} )}, )}} ++) ++; ,. ."), .", ...</ .</ .\ /" /? /__ ://
:</ <? ="$ =$( =( =- =[], ={ >( >, >. >.</ >; >< ></ >\ >{ ?: ?</ @\ \@ ]( ]): ]); ]= ][" ]\ ^^ _\ __( __. {$ }% }' }'. }{ }{%
}{\ }{} }}, }}}
""".split()  # noqa: SIM905
"""One token each where no space stands before them."""

SPACED_SIGNS = r"""
!== %} */, -*- [# {#
""".split()  # noqa: SIM905
"""One token each together with the space before them."""
