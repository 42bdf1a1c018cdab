"""Everyday words of languages written in Latin letters, to tell short and mixed texts apart.

Written by hand for this library. Diacritics are left out because people leave them out (Vietnamese, Yoruba, Igbo).
`ENGLISH_LOANS` are the English words that turn up inside sentences of any language: they say that English is mixed in,
but not what the sentence is written in.
"""

from __future__ import annotations

__all__ = ["BORROWED", "ENGLISH", "ENGLISH_LOANS", "INTERNATIONAL", "LATIN", "LATIN_ENDINGS"]

INTERNATIONAL = """
ok okay okey okie k kk hi hey hello helo hallo halo bye bai yes yep yeah no nope thanks thx tks ty thank pls plz
please sorry wow lol haha hahaha hehe xd omg hmm hm uh um ah oh huh super bravo stop test info sms pdf usb wifi tv pc
email mail url app web chat bot admin vip ceo faq id pin qr gps led lcd xl xxl max pro mini plus ultra lite air one
new hot top
"""
"""Understood and typed by speakers of nearly every language."""

ENGLISH = """
the a an and or but if then than that this these those there here is are was were be been being am do does did doing
done have has had having will would shall should can could may might must not isn't aren't wasn't don't doesn't didn't
haven't hasn't won't wouldn't can't couldn't i'm i've i'll i'd you're we're they're it's that's what's there's let's i
you he she it we they me him her us them my your his its our their mine yours ours theirs myself yourself who whom
whose which what when where why how of to in on at by for from with without about into onto over under after before
between during through against until since while because although though so as also too very just only even still yet
again already always never often sometimes now today tomorrow yesterday soon later some any no every each all both
either neither many much more most few less least other another such same own up down out off back away around near
get got getting give gave given take took taken make made go goes going went gone come came want wants wanted need
needs needed know knew known think thought say said tell told ask asked see saw seen look looking find found use used
work works worked try tried help keep kept let put send sent buy bought pay paid anyone something anything nothing
someone everyone whether via per else
"""
"""English grammar words and plain verbs."""

BORROWED = """
status bank hotel taxi doctor hospital video internet plan error color extra premium promo data model problem radio
home service restaurant account normal original digital mobile photo number date version final total bus film studio
camera laptop printer virus menu cake party game team sale house family question time points
"""
"""English words that are ordinary words of many other languages: no sign that English is mixed in."""

ENGLISH_LOANS = """
order orders ordered ordering refund refunds refunded return returns returned cancel cancelled canceled cancellation
exchange replace replacement deliver delivery delivered deliveries ship shipped shipping shipment track tracking
tracker parcel package packaging courier rider driver pickup pick drop address location status update updated pending
confirm confirmed confirmation receive received invoice receipt bill billing payment payments pay paid card credit
debit cash cod cashback price prices cost discount promo code coupon voucher sale sales offer offers deal deals free
charge charges charged fee fees tax bank account balance transfer wallet money deposit customer customers service
services support care center centre agent manager team staff complaint complain issue issues problem problems error
fix fixed repair warranty guarantee claim damaged damage broken defective defect wrong missing expired fake original
quality product products item items size sizes color colour stock available availability shop shopping store online
seller sellers buyer cart checkout checkouts buy brand model phone mobile laptop charger battery screen camera cable
headphone headphones earphones speaker keyboard mouse printer tablet fridge washing machine blender microwave oven fan
heater cooker shoes shirt dress bag watch jacket jeans login logout password username sign signup register otp verify
verified verification profile settings link click download upload install reset change changed save delete deleted
block blocked open close start restart switch network internet data signal slow fast speed connection connect
connected meeting meetings call calls message messages reply text group video photo photos picture file files form
document documents report reports project deadline office boss work job salary interview leave holiday weekend monday
tuesday wednesday thursday friday saturday sunday morning evening night week month year date time minutes hours days
school college university class classes teacher student students exam exams result results bus train flight ticket
tickets booking book booked hotel room taxi car bike petrol traffic hospital doctor medicine appointment test urgent
please kindly asap thanks sorry request requests email submit apply application approved approve rejected expect
feedback review reviews rating complete completed process processing processed transaction failed success successful
successfully working home house family friend friends party movie song game match happy sad nice good best bad better
great perfect really actually seriously already maybe though literally basically sure fine wait waiting busy ready
late early next last first second latest new old cheap expensive big small large medium extra half full policy
policies terms number help question answer details detail information instructions manual step steps option options
feature features version software charging plan plans subscription subscribe unsubscribe renew renewal premium member
membership points reward rewards gift gifts check checked crash crashed latest
"""

LATIN: dict[str, str] = {
    "en": ENGLISH,
    "fil": """
ang ng mga sa ay na ba po opo ko mo niya namin natin ninyo nila ako ikaw ka siya kami tayo kayo sila akin iyo kanya
amin atin inyo kanila ito iyan iyon yan yun yung yon yong nito niyan dito diyan doon dun dyan nandito nasaan nasan
saan san ano anong sino kailan kelan bakit paano pano magkano ilan alin hindi hinde di wala walang wlang may mayroon
meron merong mayron huwag wag lang lamang din rin pa naman nga kasi kaya pero at o kung kapag pag para dahil habang
bago muna pala talaga siguro baka sana ngayon kahapon bukas mamaya kanina agad lahat ibang iba isa isang dalawa gusto
ayaw kailangan pwede puwede maaari maganda pangit mahal mura salamat maraming magandang umaga hapon gabi kumusta
kamusta oo kay si ni nang pong kong mong nyo nya sakin sayo binili bumili bibili bayad magbayad nagbayad ibalik isauli
sira nasira nasisira dumating dumarating darating natanggap makuha nakuha kukunin gumagana gagana ibig sabihin alam
sabi sinabi tulong patulong paki pakisuyo makikita mismo ganun ganyan ganito
""",
    "id": """
yang dan di ke dari untuk dengan pada adalah ini itu saya aku kamu anda dia kami kita mereka tidak tak nggak enggak
gak ga ngga bukan belum sudah udah udh sdh akan sedang lagi masih bisa boleh harus mau ingin ada apa siapa kapan
dimana mana bagaimana gimana gmn kenapa mengapa berapa karena kalau kalo kl jika tapi tetapi atau juga saja aja sih
dong kok deh nih tuh ya iya banget sekali sangat semua banyak sedikit lebih paling sama seperti kayak barang barangnya
pesanan pesan pesen beli membeli dibeli harga harganya bayar pembayaran kirim dikirim pengiriman sampai sampe datang
terima kasih makasih tolong mohon rusak ganti kembali kembalikan uang toko penjual mas mbak pak bu kak gan gue gua lo
lu besok kemarin hari sekarang nanti cara dapat jadi hingga tentang oleh
""",
    "ms": """
yang dan di ke dari untuk dengan pada adalah ini itu saya aku awak anda dia kami kita mereka tidak tak bukan belum dah
sudah akan sedang lagi masih boleh mesti mahu nak hendak ada apa siapa bila mana macam bagaimana kenapa mengapa berapa
kerana sebab kalau jika tapi tetapi atau juga sahaja je lah kah pun sangat semua banyak sikit lebih paling sama barang
tempahan pesanan beli harga bayar bayaran hantar dihantar penghantaran sampai datang terima kasih tolong rosak tukar
pulang pulangkan wang duit kedai penjual encik puan abang kakak esok semalam hari sekarang nanti cara dapat jadi camne
camana kat dekat takde takda xde dapatkan
""",
    "sw": """
na ya wa za la cha vya kwa ni si katika kutoka hadi kama lakini au pia bado tu sana sasa leo kesho jana hii hiyo huo
huyu hizi hizo yangu yako yake yetu yenu yao langu lako wangu wako wetu zangu zako mimi wewe yeye sisi ninyi wao nini
nani lini wapi vipi namna gani kwanini mbona ngapi ndiyo ndio hapana hakuna kuna niko uko yuko tuko ilikuwa nilikuwa
nimefika nimelipa nimepata nimenunua nilinunua niliagiza nimeagiza nataka ninataka naomba ninaomba tafadhali asante
ahsante sante habari jambo mambo poa sawa shikamoo karibu samahani pole bidhaa oda agizo pesa hela bei gharama malipo
kulipa lipa kurudisha rudisha kurudishiwa kununua nunua duka simu mzigo kifurushi imefika haijafika imechelewa
imeharibika haifanyi kazi nisaidie saidia naweza ninaweza unaweza tunaweza siwezi lazima labda kabisa zaidi kidogo mtu
watu siku mwezi mwaka baada kabla kwamba ili hivyo basi nyumbani kazini wanasema hawajibu nikitaka ule yule iko
""",
    "ha": """
da ta na a ya su mu ku ni ne ce kuma ko amma idan don domin saboda kamar har yanzu yau gobe jiya wannan wancan
wadannan wanda wadda ina wane wace mene menene mecece me yaya yaushe nawa wa waye babu akwai ba bai ban bata bana baka
zan zai zata za zaka mun sun kun yi yin nake kake yake muke suke ake ana zuwa daga cikin tare gare gaya allah nagode
godiya sannu kwana lafiya kudi kudin kaya kayan kayana saya sayi siya siyan sayen biya farashi kantin shago mayar
maida dawo kawo aiko iso zo tafi taimako taimaka taimake aiki lalace mutane mutum gida kasuwa oda odar odata wayar
wayata naka nasa namu ka ki
""",
    "yo": """
mo ni o n ti wa won a e yin re mi awon naa ati tabi sugbon nitori pe fun lati si sinu ninu pelu bi bawo nibo nigba
nigbati kini ki kilo tani ta elo melo se kii ko maa yoo yio fe je ra owo oja aso ile ise eniyan oni ola ana jowo ese
daadaa beeni rara ibo ibi eyi iyen gbogbo pupo die ekaaro ekaasan pele bawoni nko sanwo gba gbe da pada mu oun iwe
foonu de tete iru
""",
    "ig": """
na nke ka ga ana a e i o m gi ya anyi unu ha nna bu di bụ dị kedu gini olee ebee mgbe ole onye nwere enweghi ihe maka
site nime mana ma obu biko daalu imela nnoo ego ahia zuta zutara akwu ugwo igwe ekwenti ozi taa echi ugbu ugbua nwanne
mere ime ike choro achoro ndi niile nnukwu obere mma ruo eruru erubeghi nyere nye weghachi mebiri
""",
    "zu": """
ngi ngiyabonga ngicela ngifuna ngiyafuna ngingathola nginga kanjani nini kuphi phi ini yini ubani bani malini kungani
yami yakho yakhe yethu lami lakho sami wami zami lokhu leli lena le lo la laba ukuthi uma kodwa futhi noma nje manje
namuhla kusasa izolo yebo cha angikwazi angazi ngiyakwazi imali ngikhokhile khokha thenga ngithenge ngiyithengile
isitolo ukuthenga ukukhokha siza ngisize usizo sawubona sanibonani unjani kahle kakhulu kancane abantu umuntu ikhaya
umsebenzi ngoba kusho kwami kwenu kwethu ku nga e i eyami eyakho ihambile ayikafiki ifikile iphukile iyasebenza
ayisebenzi phansi phezulu ngakho
""",
    "xh": """
ndiyabonga ndifuna ndicela ndingayifumana njani kanjani nini phi ntoni ngubani malini kutheni yam yakho yakhe yethu
wam zam sam lam lento le lo la laba ukuba kodwa kwaye okanye xa nje ngoku namhlanje ngomso izolo ewe hayi andikwazi
andazi ndiyakwazi imali ndihlawule hlawula thenga ndithenge endiyithengileyo ivenkile ukuthenga ukuhlawula uncedo
ndincede molo molweni unjani kakuhle kakhulu kancinci abantu umntu ikhaya umsebenzi kusho ayikafiki ifikile yaphukile
iyasebenza ayisebenzi phantsi phezulu ngoko ukubuyisa ifowuni lithi uthi
""",
    "vi": """
toi minh ban anh chi em cua la khong ko khg co duoc dc nhu the nao dau khi bao gio hang mua roi chua van nay kia cho
voi cac nhung mot hai gi sao muon lam giup shop oi nhe nha ah vay thi ma nen neu vi tai tu den trong ngoai tren duoi
rat nhieu it hon nhat cung da dang se phai can biet noi hoi tra loi gia tien ngay hom mai qua don giao nhan gui doi
hoan lai ship hong cam on xin chao vui long sdt nguoi dien thoai
""",
    "es": """
el la los las un una unos unas de del al a en con sin por para como que cual cuando donde porque pero si no y o u ni
mi mis tu tus su sus nuestro yo me te se nos lo le les ya muy mas menos tambien todo todos esta este esto esa ese eso
estan estoy es son era fue ser estar tengo tiene tienen hay puedo puede pueden quiero quiere necesito necesita hacer
hace hice dice dijo llegar llego llega pedido compra compre comprar pagar pague dinero precio cuanto cuesta gracias
hola ayer hoy manana ahora despues antes aqui alli nada algo alguien
""",
    "so": """
waa ma oo iyo in ka ku la u ee si soo uu ay aan aad waxa waxaan waxaad waxay maxaa maxay sidee goorma halkee xagee
imisa kumaa ayaa baa miyaa leh lahaa ahay tahay yahay yihiin jiraa jirtaa haa maya fadlan mahadsanid waad salaan iska
warran lacag lacagta alaab alaabta dalab dalabkayga dalabka iibsaday iibso bixi bixiyay qiimaha qaali dukaan dukaanka
maanta berri shalay hadda weli wali kale badan yar weyn wanaagsan xumaan guri qof dad igu iga ila kaa kuu lagu laga
loo noo kayga kaaga teeda inoo inaan inay laakiin haddii sababtoo markii rabaa doonayaa karaa kartaa
""",
    "rw": """
ni na ku mu ya wa ba bya cya rya by'ubu nta ari iki ki nde ryari he hehe gute kangahe angahe ndashaka ndifuza nshobora
ushobora murakoze mwaramutse mwiriwe muraho amakuru neza cyane yanjye wanjye byanjye yawe wawe yacu ubu none ejo
hashize uyu munsi kuko ariko cyangwa kandi kugira ngo amafaranga naguze kugura kwishyura nishyuye kugaruza subiza
gusubiza iduka telefone ibicuruzwa komande yageze ntiragera yangiritse ntikora mumfashe mfasha umuntu abantu urugo
akazi buri byose bose
""",
    "pcm": """
dey wetin abeg una dem wey no fit don go na sabi comot wan make e oga abi sef nawa wahala pikin how far shey oya dis
dat dia im wen wia waka chop kpele
""",
}

LATIN_ENDINGS = {
    "fil": r"(?:nag|mag|naka|maka|pag|pina|ipina|ipa|makaka|nakaka)[a-z]{4,}|[a-z]{4,}(?:hin|han)",
    "id": r"(?:meng|mem|men|ber|peng|pem|di|ter)[a-z]{3,}(?:kan|nya)|[a-z]{3,}(?:annya|nya)",
    "ms": r"(?:meng|mem|men|ber|peng|pem|di|ter)[a-z]{3,}(?:kan|nya)",
    "sw": r"(?:ha)?(?:ni|u|a|tu|m|wa|i|zi|ya|li|ki|vi)(?:me|na|li|ta|ka|nge|ja)[a-z]{3,}",
}
"""Verb forms that mark a language, which no list of words can hold; counted at half the worth of a listed word."""
