"""Everyday words of languages that people also type in Latin letters, in the spellings people use.

Written by hand for this library: function words, question words, common verbs and shop words, with their spelling
variants (``nahi nahin nhi``); no corpus was read. There is no standard spelling, so no list is complete. Not reviewed
by native speakers. Hindi and Urdu, one language when spoken, share most words.
"""

from __future__ import annotations

__all__ = ["ENDINGS", "ROMANISED"]

_HINDUSTANI = """
likha likhi likhe likho likhna galat ghalat toota tuta tooti nikla nikli nikal dabba khulta khulti pahunch
raat subah shaam subha din hafte hafta mahine saal log logon dukan dukaan kapde kapda jute joota juta paani pani khana
chota chhota choti chhoti chhote bada badi bade naya nayi purana rehta rehte rehti khula khuli khule band kharab sasta
mehnga mahanga mera meri mere mujhe mujhko muje mujhse hum hume humein humko hamara hamari hamare hame tum tumhara
tumhari tumhare tumhe tera teri tere tujhe aap aapka aapki aapke aapko aapne apka apki apke apko apna apni apne wo woh
voh uska uski uske usko usne unka unke unki unko unhone ye yeh iska iski iske isko isme ismein inka kya kyu kyun kyon
kyunki kyonki kaise kaisa kaisi kese kab kabhi kaha kahan kahaan kidhar idhar udhar yahan wahan kitna kitne kitni
kitnay kaun kon kaunsa kaunsi konsa konsi kis kisi kisne hai hain hoon tha thi ho hona hoga hogi honge hota hoti hote
hua hui hue huwa raha rahi rahe rha rhi rhe gaya gayi gaye gya gyi gye gai kar karo karna karne karni karke karta
karti karte krna krne kro krta kiya kiye kijiye kijiyega karega karegi karenge karunga karungi karwana karwa karun
karoon nahi nahin nhi haan haanji bhai yaar bahut bohot bhut bohat acha accha achha achhi achi theek thik thoda thodi
zyada jyada ziada sab sabse sabhi kuch kuchh kuchhi koi aur lekin magar agar toh phir fir abhi kal aaj aj jab tab tak
pehle pahle baad wala wali wale chahiye chahie chaiye chahta chahti chahte milega milegi milenge mila mili mile milta
milti milte milna dena diya diye dijiye dedo dunga denge dega lena liya liye lijiye lelo lunga lenge aaya aayi aaye
aya ayi aayega aayegi ayega ayegi aayenge aana ana aata aati jana jaana jayega jayegi jaega jaye jata jati jate sakta
sakti sakte sakun sakoon batao bataiye bata bataye bolo bola bolna samajh pata paisa paise paison sirf matlab ghar
kaam dekho dekha dekhna suno saath sath bina wapis dobara jaldi jldi itna itni itne utna jaise waise aisa aisi aise jo
jis jiska kyuki rakha rakho lagta laga lagi lagega lag chuka chuki chala chal rupay rupaye mein ki ka ke ko se ne pe
"""

ROMANISED: dict[str, str] = {
    "hi-Latn": _HINDUSTANI
    + """
namaste namaskar namaskaar dhanyavaad dhanyawad dhanyavad dhanyawaad kripya kripaya samay samasya vapas wapas vapis
mai bhaiya bhaiyya didi uttar prashn prashan sahayata madad sthiti kharab kharaab mahina saptah dinank turant keval
avashyak pata naya nayi purana vastu keemat bhugtan
""",
    "ur-Latn": _HINDUSTANI
    + """
mujhay hamein humain kyon nahin shukriya shukria meherbani mehrbani meharbani barae baraye janab sahib sahab assalam
asalam aslam salam alaikum walaikum inshallah inshaallah mashallah theek waqt jawab sawal masla maslay masail raqam
qeemat qimat darkhwast guzarish muaf maaf maazrat mazrat zaroorat zarurat zaroor khareedna khareed khareeda khareedi
tareekh tarikh shehar sheher ilaqa hay hein hen thay meray teray tumharay aapkay apnay karain karein karen kerna
kernay kertay kar deen deejiye dijiyay batain bataein batayein aagaya chahiyay chahye kiun kiyun kyun kaisay jaisay
pehlay mukammal maloomat malumat rabta rabita wapsi intezar intizar adaigi paisay darust kharab ghalat
""",
    "pa-Latn": """
vaje tutti tutta nikli nikliya rang cheez gaddi munda kudi mainu menu mainun tainu tenu sanu saanu mera meri mere
tuhada tuhadi tuhade tuhanu tuhaanu thonu tusi tussi asi assi asin main tera teri ohda ohdi ohde ohnu ohna ehda ehdi
ehde ehnu eho ki kive kiven kidda kiddan kithe kitthe kithon kado kadon kinna kinne kinni kaun kihda kehda kehdi da di
de nu ton vich wich vicho naal nal layi layee utte hun hunn hune hoya hoyi hoye hega hegi haiga haigi si san sigga
sigi nahi nai nahin haanji hanji karna karda kardi karde kita kitta kiti kitti karo karan kardo karke reha rehi rehe
gaya gayi gye aaya aayi aaunda aundi aauga janda jandi jande jaana jaavega chahida chahidi chahide milya mili milu
milega milda dasso daso dassna ditta ditti dita deyo dena laina vi vee bahut bohat changa changi vadiya wadiya vadia
thoda jada jyada paise paisa veer veerji paaji bhaji sat sri akal kyon kyu kyunki jadon odon fer phir ajj kal hunne
sadda sadi sade saade apna apni apne koi kujh kuj kuchh sare saare sab meharbani dhanvaad shukriya ghar gall galan
wapas vapas othe ethe idhar
""",
    "gu-Latn": """
raat savare saanje divas mahino varas ghar dukan nanu nani motu moti navu navi junu kapda bandh chalu chaltu chalto
chalti kharab badli badlavvu mane mara maro mari maru mare tame tamaru tamari tamara tamaro tamne tane ame amaru amari
amaro amne teo tenu teni tene shu shun kem kevi kevu kevo kevirite kyare kyan kyathi kya ketla ketlu ketli ketlo kon
kone kayu kai kain chhe che chhu chu chhie chho cho hatu hati hato hata hase hashe nathi nahi nahin hoy thayu thayo
thai thay thase thashe thatu thati gayu gayo gayi gaya kari karvu karvo karvi karva karo karyu karyo kare karu karish
karsho aavyu aavyo aavi avyu avyo aavshe avshe avse aave aavse javu jau jay jaish joie joiye joye joiea malse malshe
malyu malyo mali male malto malti apo aapo apjo aapjo aapsho aapi lidhu lidho lidhi didhu didho kahyu kaho kahejo mate
maate thi maa nu ne pan ane haa koi badhu badha badhi ghanu ghana ghani bahu saru saras saro haji hve have kale aaje
pachhi pachi pehla pahela andar upar paisa paacha pacha pachho pacho rite karine etle etlu karan biju bija ek be tran
aabhar abhar kemcho majama bhai ben vagar sathe sudhi
""",
    "mr-Latn": """
ratri sakali sandhyakal divas aathavda mahina varsh ghar dukan pani lahan motha mothi navin juna mahag swast kapde
bandh chalu chalat kharab badlun mala mazi majhi maza majha maze majhe mazya majhya amhi aamhi amhala aamhala aamcha
aamchi tula tuzi tujhi tuza tujha tumhi tumhala tumcha tumchi tumche tumchya tyala tila tyacha tyachi tyache tyanni
tyanna tyani hya yacha yachi kay kaay kasa kashi kase kasha kadhi kadhiparyant kevha keva kuthe kuthun kuthlya kiti
kon koni konala kontya konti konta ahe aahe ahet aahet ahes hota hoti hote nahi naahi nahiye nako naka hoil hoeel
hoiel hoy zala jhala zali jhali zale jhale kela keli kele karaycha karaychi karayche karayla karto karte karta karun
karu kara kartat milel milala milali milale milnar milat bhetel hava havi pahije pahijet deu dya dila dili dile denar
ghya ghetla ghetli ghetle gheun yeil yenar yeto yete ala aala ali aali ale alay aalay alela gela geli gele jaa jata
jaycha jayla sathi saathi madhe madhye varun pasun pasoon paryant parynt cha chi che chya mhanun mhanje tar jar ata
aata atta nantar aaj udya kaal khup khoop phar thoda thode sagla sagle sagli kahi kaahi parat paise sanga saanga sang
bagha bagh mitra krupaya dhanyavad dhanyawad ani aani kinva pan barobar changla changli changle nahiyet mahit mahiti
sangal
""",
    "ne-Latn": """
raati bihana beluka din hapta mahina ghar pasal paani sano saano thulo naya purano mahango sasto luga jutta banda
khulla satna satnu malai mero mera hamro hamilai hami haami timi timro timilai tapai tapaai tapaiko tapailai tapaiharu
uslai usko yasko tesko tyasko yesko kina kasari kasto kahile kahilesamma kahileko kaha kahaa kata kati kun kunai kasko
kaslai kasle cha chha chaina chhaina chhan chan chu chhu chau chhau hoina huncha hunchha hudaina hunna hunu hos bhayo
bhaena bhayena bhako bhaeko bhayeko thiyo thyo thie thiyena garna garnu garne garcha garchha garchu garchhu garnus
garnuhos gareko garera garyo gardai gariraheko gara gaeko gako gayo aayo ayo aaucha aauchha auchha aucha aayena ayena
aune aaune pathaunu pathayo pathaideu pauna paunu pauchu paye payo paina pani tara bhane bhanera bhanne lai bata sanga
sangai samma dekhi tira matra ali aali dherai derai ekdam ramro naramro hajur dhanyabad dhanyabaad namaste didi dai
aba ahile aile aja bholi hijo kehi sabai arko feri pheri firta phirta paisa kinne kineko kinna saman saaman chahiyo
chahinchha chahincha milcha milchha milena sakincha sakchu sakchhu sakdina sakinchha thaha thahachha dinus dinu deu
linu liyeko yaha tyaha kaso kripaya parcha parchha pardaina parne bigreko bigriyo hola holan vayo vayena xa xaina chai
""",
    "bn-Latn": """
raat sokal bikel sondha din shoptaho mash bochor basha bari dokan pani choto boro notun purano dam daam juta jama
kapor bondho khola bodlate bodlano porjonto ami amar amake amader amra tumi tomar tomake tomader tomra apni apnar
apnake apnader apnara take tader tini tara eta etar eita oita ota eto keno kano kivabe kibhabe kemon kamon kemne
kokhon kobe kothay kothae kothai koto kto konta kon kontar kore achhe ache achen ase nei nai chilo chhilo chilam hobe
hobena hobey hoy hoyeche hoyechhe hoyni hoini hoise hocche hochhe hochche hoye hole hote holo kora korbo korben korbe
korchi korchen korte korechi korechilam korlam koren koro korun korsi korsen korcho parbo parben parbe pari paren
parchi parchina dao diben dibe diyechi diyechen dite debo deben nibo niye nite neben pabo pabe paben paini peyechi
peyechhi pai ashbe asbe asche ashche aseni asheni eseche esheche elo jabo jabe jacche jachhe jete gele gelo gese geche
gechhe nah noy noi haan hae aar kintu jodi tahole tahle jonno jonyo jonne theke diye sathe shathe moddhe majhe upor
niche ekta ekti ektu onek khub shob sob kichu kichui ekhon ekhono akhon ajke kalke kal abar bhalo valo bhalobhabe
dhonnobad dhonnobaad taka ferot pherot bolun bolo bolte bolen bolben dada apu jani janina dorkar lagbe lagchhe lage
chai chaichi kina kinte kinechi kinbo nosto kajer kaj koyta koydin por pore age agey ei oi ki na ar
""",
    "ta-Latn": """
kadai thanni saapadu veedu veetu kaalai maalai iravu mani naal maasam chinna periya pudhu pazhaya vilai porul thuni
seruppu thirandhu moodi varaikum varaikkum ethana ethanai enakkum illama naan enakku ennoda ennudaya ennaku enaku
namma nammaku nammakku naanga nanga engaluku engalukku engal enga yenga nee unakku unaku unga ungal ungaluku ungalukku
ungaloda neenga ninga avan aval avanga avar avaru avangaluku adhu athu idhu ithu inda indha intha andha antha enna
yenna yen epdi eppadi yeppadi yepdi eppo eppothu yeppo eppa enge yenge evlo evalavu evvalavu yaar yaaru yaru edhu ethu
irukku iruku irukkunga irukunga irukka iruka irukkum irukkaa irundhuchu irundhen irunthathu illa ille illai illaiya
illaya aama amaa aamam aamaa vendum venum venam vendam vendaam vanthuchu vandhuchu vanduchu vandhachu varum varala
varalaya varalai varuma varen varuven vaanga vandhu vanthu vantha ponga poga poguma pochu poiduchu poitu pannu
pannunga panna pannanum pannanumnu panren pannen pannuven pannitten panniten pannirukken panrathu pannalam seiya
seiyanum seivathu kudunga kodunga kudu kodu kuduthen kudukka vaangi vanginen vaanginen vaanganum kidaikum kidaikkum
kidaikkuma kidaikala mudiyuma mudiyathu mudiyala mudiyum mudiyadhu theriyuma theriyum theriyathu theriyala theriyadhu
sollunga solla sollu sollanum sonna sonnanga romba rombha konjam ellam ellaam ellarum inga inge ange anga ippo ippa
ipo apram appuram aprom innum innaiku inniku naalaiku nalaiku nalaikku nethu nalla sari seri dhaan thaan kooda koodave
mattum oru rendu panam kaasu tirumba thirumba vanakkam nandri machan anna akka pathi paathu paaru paarunga odanju
odanjirukku aachu aagum aagala aaguma vara anupunga anuppunga epo
""",
    "te-Latn": """
raatri intiki inti vastayi testaru teyyandi cheppulu battalu illu neellu rathri udayam sayantram roju rojulu chinna
pedda kotha patha dhara vastuvu dukanam ekkuva takkuva enni gantalu marchali marchu pampu vaste nenu naaku naku nannu
memu maaku manam mana meeru miru meeku miku nuvvu nuvu neeku niku atanu aame vaadu vaallu vallu adi idi ivi avi emi
emiti enti yenti enduku yenduku endhuku ela elaa ala ila eppudu yeppudu epudu epuudu ekkada yekkada ekada ikkada
akkada enta entha yentha evaru yevaru evariki undi undhi unna unnayi unnaru unnanu undaa unda undali ledu ledhu ledaa
leda levu kaadu kadu avunu avnu kavali kaavali kaavaali vaddu vachindi vacchindi vachhindi vachesindi raaledu raledu
vastundi vasthundi vastunda vasthunda vostundi ostundi vastaru vasthadi ravali cheyali cheyyali cheyandi cheyyandi
cheyyi chesanu chesaanu chesa chesindi chestanu chesthanu chestaru chestunnaru cheyadam cheyyadam ivvandi ivvu ivvali
icchanu ichanu ichina icharu tiskunna teesukunna konnanu konna kontanu poyindi poindi vellali velli vellandi chala
chaala konchem koncham anni andaru inka ippudu ipudu appudu repu ninna eeroju ivala ivvala malli mari kani kaani kuda
kooda gurinchi nunchi nundi kosam meeda lopala cheppandi cheppu telusa telidu teliyadu telusu telusukovali dabbulu
dabbu tirigi bagundi baagundi baaga bagoledu dayachesi dhanyavadalu namaskaram andi ante ayindi ayyindi avutundi
avtundi avuthundi raadu pani cheyatledu cheyyatledu cheyatam pampandi pampinchandi vachaka naa maa lo ki tho
""",
    "kn-Latn": """
manege barthare bartare kelasa raatri beligge sanje dina vaara tingalu mane neeru chikka dodda hosa haleya bele angadi
batte chappali badalayisi tegedu muchide naanu nanu nange nanage nanna namma namage nammage naavu navu neevu neenu
ninu nimma nimage nimge nimgu ninage ninna avanu avalu avaru adu idu yenu enu yaake yake yaakey hege hegide yavaga
yaavaga yavag yelli elli yellide ellide illi alli eshtu yeshtu yestu estu yaaru yaru yaava yava yavaaga ide idhe idhya
idya ideya illa illava alla houdu haudu howdu beku bekagide bekithu beka beda bantu banthu bandilla bandide bandidya
baratte barutte bartide baralla barutta banni hogi hogu hogide hogalla hogbeku hogtini madi maadi madu maadu madabeku
maadbeku madbeku maadbeka madide madidini maadide maadidini madtini maadtini madtira maadtira madalla maadalla madoke
maadoke aytu aithu ayitu agide aagide aagilla agilla agutte aagutte agalla aagalla agutta kodi kodu kotte kottu
kottiddini kodtira tagondu thagondu tagonde togondu tagobeku heli helu helbeku helri gottu gottilla gottha gotta nodi
nodu thumba tumba swalpa ella yella ellaru innu innoo eega iga ivaga ivattu nale naale ninne matte mathe aadre adre
adare haage hage kuda jothe mele kelage duddu hana dayavittu dhanyavada dhanyavadagalu namaskara madisi kelsa
aaguttilla barlilla bekittu hogidya
""",
    "ml-Latn": """
cheriya valiya puthiya pazhaya vila kada veedu veettil vellam ravile vaikunneram rathri divasam maasam sadhanam vasthu
cheruthanu mattan maattan mattam mattu thurakkum adakkum njan njaan enikku eniku ente entey enne ennod njangal
njangalkku njangalude nammal namukku nammude ninte ninakku ningal ningalkku ningalude avan aval avar avarkku athu ath
ithu ith enthu enth entha enthanu enthaanu enthina enthinanu enthukond enthukondu engane enganeya enganeyanu eppol
eppo eppozha eppozhanu eppola evide evideya evideyanu ethra ethraya ethrayanu aaru aara aaranu undu undo undaayi
undayi undayirunnu illa ille illallo illayirunnu aanu aano aayirunnu ayirunnu aayi alla allallo venam vennam venda
vendi vannu vannilla vannittilla varum varumo vanno kitti kittiyilla kittum kittumo kittunnilla kittiyo kittan poyi
pokum pokan pokunnu cheyyanam cheyyan cheyyu cheythu cheyyamo cheyyunnu cheytho cheythilla cheyyum tharu tharumo
tharan thannu tharamo vaangi vangi vaangiya vaangichu vangan parayu paranju parayamo paray ariyamo ariyilla ariyam
ariyaam nokku nokkiyo pattumo pattilla pattum pattunnilla valare kurachu kurach kure ellam ellaam ellavarum innu naale
innale ippol ippo ipo pinne pinneyum pakshe pakshey athinu ithinu koode koodi oru randu thirichu nalla nallathu
nallatha nanni dayavayi dayavaayi namaskaram chetta chechi mone alle alleda sheri kazhinju kazhinjo ulla varunnilla
vanna
""",
    "si-Latn": """
arinne arinawa kade kaede patak pata gedara wathura mama mata mage magey apita ape oya oyata oyage oyala eya eyata
meka mokada mokakda mokak monawada kohomada kohomadha kohoma kawadda kawadada koheda kohedha kohenda kohen kiyada
keeyada kauda kawda thiyenawada thiyenawa thiyanawa tiyenawa tiyenne thiyenne thiyenavada nathi nathuwa naha nehe
nadda naththam nattam epa onee oni oneda onna puluwan puluwanda puluwand bari baha karanna karanne karala karanawa
karana karapu karannada ganna gannawa gannada gatta gaththa dunna denna dennawa denawa denawada awa aawa awe aave nawe
enawa enne enawada giya yanna yanawa yanne kiyanna kiyala kiyanawa kiyanne balanna danne dannawa dannwa hari harida
hondai honda hondada godak tikak okkoma eka ekak eke ekata eken dekak dekata dan passe heta iye ehenam ehema mehema
nisa unath unata wage witharai salli mudal apahu aye aayeth bohoma istuthi isthuthi ayubowan machan malli nangi aiya
wenawa wenne wenas vuna wuna una wada kedila kadila ganan
""",
    "ar-Latn": """
ch7al chhal taman thaman byefta7 sa3a sar klam kalam el sheghl shoghl bet beit dar yom youm leil layl sabah sob7 kbir
kebir saghir soghayar soghayara gdid gedid jdid adim 2adim ghali rkhis r5is se3r si3r gazma sebbat sabbat hodoum
7wayej hanoot 7anout ma7al sou2 felous filous ra7 ray7 gay jay ja2 geh shoft chft 3ndi 3ndk nqder n9der t9der ta9dar
bghina kayn kayen had hadshi hadchi dak ana enta enti inta inti inte ento ehna e7na ihna i7na ni7na howa heya huwa
hiya homma dah dih dol hada hadi hayda haydi hatha hathi eih eish shu shou shno chno ach wesh wech wach leh leih lesh
laish leish 3lash alash 3lach ezay ezzay izay izzay kif keef kifak kifik kefak kifach shlon shlonak emta imta ayemta
fein feen fen wein wayn win fin meen kam bekam b2addeh 2addeh addeh mafi mafish mafeesh makach makayn mesh mish mosh
moush mush mshi mou mo3 msh laa aywa na3am naam lakin laken 3ashan 3shan ashan 3la 3ala 3and 3andi 3andak 3indi 3ando
3andkom 3andkon ma3 ma3a ma3aya m3a elli illi bta3 bta3i beta3i btaa3i bta3ti bta3et taba3 taba3i dyal dyali dialek
7a2 7a2i ha2 3ayez 3ayz ayez 3awez 3awz 3ayza 3awza awez biddi baddi bddi beddi biddak abgha abghi bghit nheb n7eb
3ayzeen momken mumkin mumken yomken lazem lazim sama7t sama7ti samaht samahti fadlak fadlik fadlek 3afak afak shukran
shokran choukran shukrn 3afwan afwan marhaba mar7aba salam salaam ahlan ahla saba7 masa2 kheir kher khair inshallah
wallah walla habibi 7abibi habibti yalla tamam tmam kwayes kwayyes kwayis kwaies mni7 mnih zein zain mlih mzyan bzaf
bezzaf ktir kteer ktiir awi 2awi gedan jeddan giddan shwaya shway shwayya shwaye chwiya dilwa2ti delwa2ty dlwa2ty
hala2 halla2 hal2 alaan daba taw lessa lissa ba3d ba3den baad abl 2abl bokra bukra ghadwa ghedwa embare7 mbare7
imbare7 elnaharda ennaharda innaharda lyom alyoum lyoum lyouma sho fih feek fiki mne7 kol kul shi shay2 7aga haga 7aja
chi floos flous masari fulus raja3 rje3 wsel wesel wasal wasalet weslet weselt yewsal yousal talab talabi tlabt talabt
fi
""",
    "fa-Latn": """
zang zadam zadan kasi javab javabi nadad nadadan rang range digeyi dige zood shab rooz ruz hafte mah sal khune khoone
khaneh maghaze ab ghaza kuchik koochik koochike bozorg jadid ghadimi geroon arzoon kafsh lebas key barmigarde
bargardoonam avaz kharab shekaste man baraye in chan chanta saat mano manam shoma shomaro shomaha oon ishoon ino oono
hamin chie chiye chera chetor chetori chetoor kojast koja kojas kojaye chand chande chandta cheghad cheqadr cheghadr
kodom kodoom hast hastam hasti hastid hastesh nist nistam nistan bood boodam budam shod shode shodam shodeh nashod
nashode mishe misheh nemishe mishavad bashe beshe mikham mikhastam mikhaham mikhay mikhaid nemikham mikonam mikone
mikonid mikonim mikonan nemikonam nemikone kardam kardan karde kardid kardin konam konid konin bokonam bokonid bokonin
daram dari darid darim daran nadaram nadare nadarid dasht dashtam miad miyad mirese miresad resid nareside naresid
narasid nayomad nayoomade beresad residam raft raftam mire miram beram begam begid begin goftam goft gofte midam midid
bede bedid bedin dadam dadan dadid gereftam gereft begiram kharidam kharid kharide bekharam kheili khayli kheyli khyli
kami hame hameh chiz chizi yek yeki vase baram vasam ham faghat faqat alan emrooz emruz farda dirooz diruz hanooz
hanuz hanoz baad ghabl qabl agar vali bale areh mersi mamnoon mamnun mamnoonam mamnunam salam khoobi khubi khobi khoob
khub lotfan lotfa bebakhshid befarmaid dorost doroste poolam pool sefaresh sefaresham mahsool gheymat gheymatesh agha
khanoom dadash kar nemidonam midonam midonid mitoonam mitonam mitoonid mitoonim bayad shayad hich inja oonja koli ina
az dar ke
""",
    "ru-Latn": """
zvonil zvonila nikto otvetil otvetili cvet tsvet drugoy chas magazina den nochi noch utro vecher nedelya nedelyu
mesyats god dom doma voda malenkiy malenkie malenkaya bolshoy bolshie bolshaya noviy novyy novaya staryy dorogo
deshevo tsena tsenu tufli obuv odezhda obmenyat pomenyat slomalsya slomalas otkryt zakryt chasov lyudi eto etot eti
menya mne mnoy tebya tebe vas vam nas nam ego yego yeyo ikh moy moi moya moyo moe moego vash vasha vashe vashi nash
svoy kto chto chego shto kak kogda gde kuda otkuda pochemu zachem skolko kakoy kakaya kakie kakoi kakoe net nyet uzhe
uje eshche eshe esche yesho escho tolko ochen mozhno mojno nuzhno nujno nado nelzya mogu mozhet mozhete mojet khochu
hochu khotel khotela hotela budet budu budut byl byla bylo byli yest dlya cherez posle ili esli yesli potomu chtoby
tozhe toje tak tam tut zdes seychas seichas sejchas teper segodnya sevodnya zavtra vchera vsegda nikogda vsyo vse vsem
spasibo pozhaluysta pojaluista pozhaluista pozhalusta pozhaluyta privet zdravstvuyte zdravstvuite zdrastvuite dobryy
dobryi izvinite khorosho horosho ploho plokho pravda delat sdelat sdelal zakaz zakazal zakaza zakazala dostavka
dostavku dostavki dengi deneg vernut vernite vozvrat prishel prishla prishlo prishol prishyol rabotaet rabotayet znayu
znaete skazhite podskazhite pomogite kupil kupila kupit pishu otvet tovar tovara magazin posylka posilka rubley
bolshoe bolshoye dnya takoy odin ni razve voobshche voobshe ya ty vy my na ne da po
""",
    "uk-Latn": """
kotroyi kotra hodyny hodyna hodyn mahazyn vidkryto zakryto tsina kolir inshyy meni mene tobi tebe vam nas yoho yiyi
yikh miy moya moye moyi vash vasha nash khto shcho scho chomu koly kolu de kudy zvidky skilky yakyy yakyi yaka yake
yaki yak nemaye nema vzhe vje shche sche tilky duzhe mozhna mozhu mozhete treba potribno khochu hochu bude budu buv
bula bulo buly dlya cherez pislya abo yakshcho yakscho tomu shchob takozh tam tut zaraz teper sohodni sogodni zavtra
vchora zavzhdy nikoly vse dyakuyu diakuiu dyakuju diakuyu budlaska laska pryvit pryvet vitayu dobryy dobryi den
vybachte dobre pohano zamovlennya zamovlennia zamovyv zamovyla dostavka dostavku hroshi povernennya povernuty pryyshlo
pryishlo pryyshla pratsyuye znayu znayete skazhit pidkazhit dopomozhit kupyv kupyla kupyty tovar posylka hryven ye ni
tak ale
""",
    "bg-Latn": """
zvanyah zvanah nikoi nikoy vdigna cvyat cvqt drug druga den nosht sutrin vecher sedmica mesec godina kashta voda malak
malka malki golyam golqm golqma novo nov stara skapo evtino cena cenata obuvki obuvkite drehi smenq smenya vurna varna
vyrna otvoren chasa che sa az ti toi tya nie vie tova tazi tezi men mene tebe nego neya nas vas moq moya moyata moyat
moeto moite vasha vashata koi kakvo kak koga kade kyde kude zashto kolko koq koya koe nqma nyama nqmam nyamam ima imam
imate veche oshte samo mnogo mnogu moje mozhe moga mojete mozhete trqbva tryabva iskam iskame iskate shte she beshe
bqh byah biah sam sum sme ste dali ako zashtoto sasto sashto sushto tam tuk sega dnes utre vchera vinagi nikoga
vsichko vsichki blagodarq blagodarya blagodaria molq molya zdravei zdraveite zdrasti dobar dobur suzhalqvam dobre
losho porachka porachkata poruchka poruchkata porachah poruchah dostavka dostavkata parite pari vrashtane varnete
pristigna pristignala pristigne raboti znam znaete kajete kazhete pomognete kupih kupq kupya stoka produkt leva mi si
mu za ot
""",
    "el-Latn": """
mera nyxta proi vradi vdomada mina xronia spiti nero mikro mikra megalo megala kainourio palio akrivo ftino fthino
timi papoutsia rouxa magazi anoixto kleisto ores allaxo allakso allaxoume allagi boroume mporoume mporeitai thelame to
ta na einai eimai eisai eimaste ine ime exw exo exei exeis exete echo echei ehei pws pou pote poso posi poios poia
poio giati yiati kai tha 8a mou sou tou tis tin ton sas mas apo sto sti stin ston stis gia alla omws omos otan oti
opws opos mono poly poli kala kalo kalimera kalispera kalhmera kalhspera geia yia yasas yiasas efxaristo efharisto
euxaristw efxaristw efcharisto eyxaristw parakalo parakalw nai oxi ohi edw edo ekei tora twra simera shmera avrio
aurio xthes htes meta prin akoma akomi ola oles kati tipota kanena kamia kapoios thelo thelw 8elw 8elo theleis thelei
mporo mporw boro mporei mporeite mporeis prepei kano kanw kanei kanete kanoume dose doste dwste steilte esteila irthe
hrthe erthei er8ei paraggelia parangelia paraggeilia lefta xrimata xrhmata pisw piso egw esy esi esis eseis emena emas
auto afto ayto afti auth den ksero xerw xero ksereis poy re file proion proionta epistrofi epistrofh xalase xalasmeno
doulevei douleuei
""",
    "th-Latn": """
rong thao rongthao lek yai mai kao phaeng thuk baan nam khao chao kham khuen ran raan pit poet moeng chuamong athit
duean pi chan phom rao khun khrap krap krub khrub kha arai yangngai yangrai yangngay ngai tammai thammai thammay
meuarai mueare muerai muarai tinai thinai tinnai thaorai taorai taolai khrai krai dai daai chai mee pai maa hai laew
laeo leaw laow tong dtong yaak yak rap rab song suea khong kong sinkha khon nee wannee wanni prungnee phrungnee
prungni muawan meuawan khop khob khopkhun khobkhun kopkun kobkun kopkhun sawasdee sawatdee sawatdi sabai dee maak mak
nitnoi noi tuk took kwaa yang mai-dai maidai mairu mairoo roo ruu ngoen ngern sang sangsue sia chuay duay duai bang
krab na plian tit dtit to nan an
""",
}

ENDINGS: dict[str, str] = {
    "ar-Latn": r"(?=.*[a-z])[a-z]*[235679][a-z]{2,}|[a-z]{2,}[2357][a-z]*",
    "bn-Latn": r"[a-z]{2,}(?:chhi|chhe|echhi|echen|chchhe|iyechi|bena|chilo|ichilam)",
    "fa-Latn": r"(?:ne)?mi[a-z]{2,}(?:am|id|im|an|ad|and|in)|[a-z]{3,}(?:eshoon|etoon|hamoon)",
    "gu-Latn": r"[a-z]{3,}(?:vanu|vano|vani|iye|yelu|elo chhe|ishu)",
    "hi-Latn": r"[a-z]{3,}(?:unga|ungi|enge|iyega|aiye)",
    "kn-Latn": r"[a-z]{3,}(?:annu|alli|ttira|ttini|ttide|idini|beku|illa|utte)",
    "ml-Latn": r"[a-z]{3,}(?:unnu|unnilla|nnilla|yilla|ikkan|ikkum|iyilla|inte|kkunnu|illallo|anam)",
    "mr-Latn": r"[a-z]{3,}(?:aychi|aycha|ayche|nyasathi|saathi|sathi|chya|madhe|madhye|tla|tli)",
    "ne-Latn": r"[a-z]{3,}(?:nchha|ncha|eko|nuhos|nuparcha|laai|nchhu|haru)",
    "ru-Latn": r"[a-z]{3,}(?:yet|ayete|ogo|iye|aya|uyu|ost|osti|tsya|niye|skiy|ovat|ivat)|[a-z]*(?:shch|zhd)[a-z]*",
    "si-Latn": r"[a-z]{3,}(?:nawa|nawada|annada|eema|unada|wath)",
    "ta-Latn": r"[a-z]{3,}(?:ukku|kkum|nga|unga|irukku|anum|aama|ala|ichu|uchu|ndhu|kkanum|alaye)",
    "te-Latn": r"[a-z]{3,}(?:andi|indi|aru|aanu|unnaru|tundi|taru|tledu|inchandi|ledu|adaniki)",
    "ur-Latn": r"[a-z]{3,}(?:iyay|aein|ayein|ungi|unga|enge)",
}
"""Word forms that mark a language; counted at half the worth of a listed word."""
