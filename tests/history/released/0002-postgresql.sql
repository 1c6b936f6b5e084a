CREATE TABLE public.history_changes (
    run_id bigint NOT NULL,
    "position" integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    what text NOT NULL,
    transition text NOT NULL,
    weight text NOT NULL,
    client_id text NOT NULL,
    change text NOT NULL
);
CREATE TABLE public.history_contents (
    id bigint NOT NULL,
    digest bytea NOT NULL,
    base_id bigint,
    whole_size bigint NOT NULL,
    chain_size bigint NOT NULL,
    data bytea NOT NULL
);
CREATE SEQUENCE public.history_contents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_contents_id_seq OWNED BY public.history_contents.id;
CREATE TABLE public.history_customer_lists (
    source text NOT NULL,
    kind text NOT NULL,
    taken text NOT NULL,
    tried text NOT NULL,
    error text NOT NULL,
    advice text NOT NULL
);
CREATE TABLE public.history_customers (
    source text NOT NULL,
    key text NOT NULL,
    tenant text NOT NULL,
    label text NOT NULL,
    gone text NOT NULL,
    customer text NOT NULL
);
CREATE TABLE public.history_decisions (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    since_run bigint NOT NULL,
    until_run bigint,
    "position" integer NOT NULL,
    app text NOT NULL,
    client_id text NOT NULL,
    subject text NOT NULL,
    outcome text NOT NULL,
    confidence text NOT NULL,
    because text NOT NULL,
    scopes text NOT NULL
);
CREATE SEQUENCE public.history_decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_decisions_id_seq OWNED BY public.history_decisions.id;
CREATE TABLE public.history_findings (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    since_run bigint NOT NULL,
    until_run bigint,
    fingerprint text NOT NULL,
    rule text NOT NULL,
    pack text NOT NULL,
    title text NOT NULL,
    severity text NOT NULL,
    outcome text NOT NULL,
    since text NOT NULL,
    known text NOT NULL,
    known_since text NOT NULL
);
CREATE SEQUENCE public.history_findings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_findings_id_seq OWNED BY public.history_findings.id;
CREATE TABLE public.history_messages (
    "position" bigint NOT NULL,
    id text NOT NULL,
    target text NOT NULL,
    tenant text NOT NULL,
    run text NOT NULL,
    created text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    text text NOT NULL,
    event text NOT NULL,
    "group" text NOT NULL,
    attachment text NOT NULL,
    attempts integer NOT NULL,
    error text NOT NULL,
    tried text NOT NULL,
    sent text NOT NULL,
    given_up text NOT NULL
);
CREATE SEQUENCE public.history_messages_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_messages_position_seq OWNED BY public.history_messages."position";
CREATE TABLE public.history_parts (
    run_id bigint NOT NULL,
    part text NOT NULL,
    content_id bigint NOT NULL
);
CREATE TABLE public.history_runs (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    state text NOT NULL,
    started text NOT NULL,
    taken text NOT NULL,
    finished text NOT NULL,
    seconds double precision,
    exit_code integer,
    error text NOT NULL,
    passed integer NOT NULL,
    failed integer NOT NULL,
    unknown integer NOT NULL,
    waived integer NOT NULL,
    not_applicable integer NOT NULL,
    failed_by_severity text NOT NULL,
    changes integer,
    minor_changes integer,
    unread text NOT NULL,
    packs text NOT NULL,
    tool text NOT NULL,
    tags text NOT NULL,
    credential_expires text NOT NULL,
    difference text
);
CREATE SEQUENCE public.history_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_runs_id_seq OWNED BY public.history_runs.id;
CREATE TABLE public.history_said (
    target text NOT NULL,
    tenant text NOT NULL,
    key text NOT NULL,
    first text NOT NULL,
    last text NOT NULL,
    ended text NOT NULL
);
CREATE TABLE public.history_tenants (
    id bigint NOT NULL,
    key text NOT NULL,
    tenant text NOT NULL,
    name text NOT NULL
);
CREATE SEQUENCE public.history_tenants_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.history_tenants_id_seq OWNED BY public.history_tenants.id;
CREATE TABLE public.history_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY public.history_contents ALTER COLUMN id SET DEFAULT nextval('public.history_contents_id_seq'::regclass);
ALTER TABLE ONLY public.history_decisions ALTER COLUMN id SET DEFAULT nextval('public.history_decisions_id_seq'::regclass);
ALTER TABLE ONLY public.history_findings ALTER COLUMN id SET DEFAULT nextval('public.history_findings_id_seq'::regclass);
ALTER TABLE ONLY public.history_messages ALTER COLUMN "position" SET DEFAULT nextval('public.history_messages_position_seq'::regclass);
ALTER TABLE ONLY public.history_runs ALTER COLUMN id SET DEFAULT nextval('public.history_runs_id_seq'::regclass);
ALTER TABLE ONLY public.history_tenants ALTER COLUMN id SET DEFAULT nextval('public.history_tenants_id_seq'::regclass);
INSERT INTO public.history_changes VALUES (2, 0, 'setting', 'setting/allowInvitesFrom-0', 'Who may invite guests', 'changed', 'major', '', '{"kind":"setting","key":"setting/allowInvitesFrom-0","what":"Who may invite guests","transition":"changed","before":"everyone","after":"none","means":"Nobody can invite guests.","since":null,"by":null,"weight":"major","severity":null,"client_id":"","because_of":[]}');
INSERT INTO public.history_contents VALUES (1, '\x1972c1573e2739ffc12db069f599054b80a9f008b2d97efa98585a05dc267608', NULL, 6379, 0, '\x789ced3d696fe34696dff7571434d9b81b106dde87834ee069f7640ca40fd8ce2eb27160148b458b638ad490941d25d3ff7ddf7b4552d461b7dc96bb639b8dc09128b2eadd47bd57c55f07715e8c7935180e449e9532ab343e8d922a2ff60a39c98b6af0db7ffd3ab8924599e4d96068e0b74a663c8327fe1c24d1607f10f02808036e6a8ef47ccd76ec480b75d7d1b8214cdf1602ae04307cc6c712ee7e9d67555ee6ec94a730d9e0230e584ec7635ecc70449e95d7b280fb0e3296175192c175362d65c104cfb2bc6200652645c54e0b2e2e6571fcf6649fbde549ba7b2c79f4bf4552c9217b8d6347bc28e71719cf22867373512d5c2e2493bf8b741ac9888533568d247b9b8802408c2b6dcc337e013f4cf23411b35dc062c2cb5202d6ce7010c3acf8d11e0ea6d965965f6783fd6038b8e6c9155ed601e5bc3ae793093ccbc31490b7085b91e6d30886ba48f390a744df8a5f4aa0eec0d44d57330ccd344f75735fd7e1bfff5337e479baca22a6ef1abb3add50e6d34248b885be455224c8b092483a990cf6ff6ce83fa71b8e972630dc39b1d1b11c8b5b91a9f982079a6dc2a7d0713d4d722b0884081d69f9f0c8152f12e4fefe60f071089c0bff05dc806f2db3c6721c020787837c5a899ce6cca48c4a8d47e3245348c4492433813f0959549c2e1792972062fb8352e413a9354cd1c299a6c80ff78452701086bfae78883c22e80e0e4f4e4f025d0f6cb8588a424ac4ec6cf00e28c188100cd852e4573c3d1bec77a065442b3691c538299185acca19174296252ba4e272c9e0f1197c04125cf02cf9835774e388572ccfd2192053cf0144611705b06b97c000ba9683fd5fff1c3423014cbafa6769f857fd11cda7e61f71473d715e8b514b04f663c127a36678148489cc12946f301a5142b2518b2d294187d18a024b2c8e24c8430abfaa2b6cdc521bd9ac4532e6d3b4d20a09b2350636023d535995240425ab6742a2b570cc69a904ddf2622f362d47734c4f68b661b91a1038d26cae9b91117866e022983544fb834f43a0841a5412e72825a26c71c3b4856b6b9ed44dcd8e75470b3d6168919026ccef064eec102dfe3d4d0a3417553195c3015897e978fe3519a3f14860c098a7a5bc5177ca4a4e1467ef06f565922145928c24fcf3d10007224608f600e1860bd7a3592b0a2c29591e33ceaad9442a2955cc1af3598761604e3e13fc5a41d780efbabaafc786a7d9227035db97a6168830d2f4900366dc0d053d36079fc8bc067e342d7926110f34016902148f3a5a5a3e04f4a161eadc725d2dd6c350b303116bbe199b407cddf13d2b0ec248bf057a04b41d92c1908c7c11980f342980d108cc66a3d7dfb16d23cbd334bfd65a8f350101dd40e03c3ff4229d0bcdb73d649bd4355fda428bb86184b6251c3f08b7c3b1efe83ac075f3dd04f4c3e16a5a961e8bd8d01cd7e49a6d87bee6fbc06e3ff23ce99b9eee9ae2abf07763d2fc0666324513045e3bb9c8e806f2c67009e9f6907e067c479c9043f9ca8e660ec8b2a731ec88476e20353d0840814d1168bea1875aa4eb66e01bb194c2e83dcd363c4dcd83c7eb6a3a083c035fb3756cbf8ab3b90b16cfcddb3c086dbaee46cad6dbecc053e02d28870b799988d6243fb40f926374215fdd0335602cfb1fd7e6ae8822c86f7868407ec3632d40be5b42f8b6eec84027a5eefdcfbdfd0f71e0f17a9f16fc67e07bb68ceb57f13c9be3f0dcfcce0350e666af23359a8d471100503eb8b7c9e3384d3279ae9603bfbedb598167d9ff78b609d654069a1987c07a33965aa80b1075db178174b96ff866ef7fb6b2d2b6c08ac7eb8856f178061ee9a190fe3a2b707747e6b9f9a8872451c7595d4a39518fa979c80e5cf3925d24573263d723cccfe62b7625e3d77cf6e04eec67988c0a6c5fdf7f754159765dd288a51b45be06760b52a7c835343f901e8a851544dc767d2bea5dd7365c57cb85c7ebb5165078060eeb01f0fd2abeea6e783c3737f540d4b9a566442b7805ced849b2f2ebec8bade72d768a2c78a830cdc52529e3268d2aad8f5a1c1169d36d27d9d883adf150ba6947b6ef424a653be0a150ef7dcb8a344bba6e14f8c2119e756f0fb5a1617cda1e6a95878fc54d2da071abfa57a3a4ece8fe1a949fb64b5b45f811fbb5e7e5a73e83759fe3acd02f0dd975db2d1849c82a2453eb8dd9b2c7c2cb61fefb97f15827a0545f3f9dea82b2924e59be15dbe0ac4ccf078176cc40f31d476abab4bd805b71cc455f89da9eb3422e3c263fb5a8ff0b283c8374ea01f0fd2a6ee76e783cb774ea81a8b3509d82c15545aa6cfdd1837ba035ddf4db489cd635e96f317b32a430ad40804a7b22d06cd7b4341e181cfe789ee33b6e185a6e9f3d6dc321ddc0c8c7e29a3e3b85ba09efa7edcb6ec0fa117bb5e7e5a53e977f5bcca8e41590a75c93538906b687f7692b3bc1b6e2d256f7976dd1a3458eebfaa614807a2035dbb3c1a3f1d8d60c306c5cd88273f3fecde6bd47bb918f4fdfa1ad47fb89fbb3b548f7eeecb1b8b3cf63df16bdd9b20fab01fa220b8361fefb89acaa24bb28575b2eee51d05a1e779b6eccf762dbf6b0533de63688b705f62c8a4152b8e371cf8a0c9fb6b97f613756fba9a7e5c76e62e593f7643722feb47dd94d68f7deec9178b3cf66e0e7fa33baa1aca76b1e5857e582e76080f3224fe98409fc9a96b9fa14e5d3b0aaaf467202ca519ea3bbc1eff51921f5af00197d1c9ce2b4e88c083aea4dcc1819df0951aa86a498a6924db8b854f841de18e5058b72a9909c4c43787cc4928a1644e5efd5ee00218bae1234d03823d9b6f3eba41a9dd33919746ccb755e5c96e7715ed4f7a8c35d6a18d524e7259f11a40771052c22eaaa13376a139926d9e5b00315106cc22fe02e200b1b0138743b2057f02ac73ada8867179d76cc669c96f8185288146890c4b32e6b1135905c06be08e20a3ce7e3148ddda4c8f1601698f62a91d7fbece4329928733ee1453564f5492a4b5003ceca56a2a8f014a5045d7b964f2f46bbec0d040fcd692bf9348dd4d122e02b68cdb97b6409ce030fd6f026285e5d289574cf6816723630b0baad66992c86ea4496a393034021e4a5c48e598647ee94ac9c8a117a283a8688581a27bf37279b8044a1f33dc65cb74aaab43e2c6681dc0af0b27becca220524bb1ee5d81d4b530c31a6e1c452851a065f6a85bd3e530542859c667a8d67fbb00375e60f89ea4177e22183e16ffc751e29a0b982e02145097b0f1aa39842002059a86f0adba5caf6a89716b55a351ae20c07c71225802e76c58610e91000631d5956b5a08df21c84e3400839a97619aa2349af3a62060082db50f0af7911a9d020c4a097c9a2988340dc6dbf85457e5d125fd36a84f2d492bc6d49de474dc56f897a04a7dc299bed352a744eb25a75ceebc75f9d42144042a048768e54aa7575925f837a8f648a812b9082ffa1fe7f41b132dcf2910262d0289498694d66b0d402e87c017311bf46fc8a905b3c6fe8055a9865eabf6ccf1faa09800c9882fec3f86f3220d8a4484afaa164df77a9ff3dfbd0e1cdf7c00d62da829e536fdc557e4956624c875161353f4371999fb55403506a6582076ca5b3c18d61e96da729d5a37461442b09f300abc12081ec41f2b0bf2a7f68db48bd409b25198c268aae2dfa3a0da3e3896e394a4a79c588347c2c010c74a51fde9f9c22790be4eea8aa26e5fede1eb176b7f5f1bb4095bd2b6357df03acd0ec7f28c099271330c348803c9a21f560f8231c71a323b03e625e504d0b7408833f73029a255123e719b0ad9e0b8c703dd9470a413e13f29c4fab9139978f1fc97875c057a77811061bc3d39e25763aa374f1204d1748d3041d34aa2524e7b105a199619b1899732d30a240b330600f204c0b6231583e01aadd02aeb6e42d6d7a9837972eb5efcccba4eb96a2d72ccc2ef263117112c48f149ecca31078006d4487f4697e916473d2e719424a0cd8e46cbbbd2b13b8445a50d3f487f65cb5579b88d4b744b8578a6cff6dea35e1e013910efebf483cb8709bd0b4a4fdc47d8b84dfe46664cb27ee5bc3b44f3db1c2d26fc15880c110d5f9b4485e35cf4e2fc1f8ed56ca1e69c5b8a4a7dfc73148b6e53a3873fa77f81104913c146a4673b0e0fee01dc4d268b6d0faa8b01a8df0424cb3e039eb080743a42513c80236ce8bc6f5efabe0e785f97238af4fb017067ead1153dfd0676b758b73a3192f9c97bb734d3c5729cab90a05cb765121844b184801421fc977a16d45ec96177f2058585f8c5f5bce680e0d58e979eef671ad6cf19c9faad69e7a33df46f31be92257a90e02cbe7a18eba106256518d302946c2930583805b2617a33af6c68f323a0f67ca553729010e2d7f9f280771aad2268a1e000e480a284fc045284033a563faca8643bbeca8c2e45f8914fbf9f8084353e43486b714d134d10a701b6f8f19f8ea82b37204210b5367f939ba6e1810734180c65b13a3e65661be1a37dba960aa0b4ca9604615c466b5e825ad636c222a0c336845a95c80f8f66ca671fe9792a216436b63500c34ce9bd8a6e36e0edffcf4e6f4cd7d1dcede0db675788f99569cf2dee60e95c2fe343d4fea5412ccef9464c54121a4134be9d04d5c25a2c5d62633b03a9901a1d6d5f07512b43664810b0585b1ab4bb09be5026ba3fd4f87b1af5564a6bdbda0e998764ae01c456c671367b5c3b41385d44e07b2b9feef4220b033dc3994a9bce020aa4b52b074e359f60d30ea157b71946160da0075ac7209a6bd25c16018ef30ede722613b7717098018ed571daab09d8e4dd9fb579967f0fbdfc18cb09d3fcf542087076a9e6d14cb9d0d3eeebcdc4da2b36c7bf0af579e4d9178815834f19c4264538d381b0ce1ee4e54a71e5f08ecd43df3d84eddb24978a79e247d500f7dd1200f1905df2629171248b4214576860cc4f3e5cb26f3e37f308af498a6d53abca9cad4ab8359ae4196528a22a165a8927dfbed1910e1d5372f60e882244653b6904d72fa0676f033655e1b01f2b8f05ecb8d862c7db52c37705f780fe187c741d2210002526a1a18c809e4775579f59230bb1f52372ac2dd315b54889db301b095feffb425beb352d1a7bd7ddafb19696fbfbed5af6ff58afe0c147dfdfa56bf14f2f49742f825e472328e512be8fc7f2187ad29e34bcb24bb0b667861eda3adffa41c2b9af8e203f40075e97bab4b1656bf56d1ac55189f5aacd86219b3af52f655ca4713c5a5c9a54c3ff5ca973e88eb83b8a719c40d960d61bd1b068460a7ac2b0c8532ce8263d1012c1b356c25b5795022fb5d53a6c02e9bb9db9e4b7b9e8117da7e45f43ec5d0bf76f14f598b955ea76a8929548e522ee98ecc5aaa6ba91a54d3a7778f10f98b95e69a3257b9e2cc6f94e1b5c1a58a4d674d043a57c6e1ca0bbd5a75bccbbbbdb02e484141e3ae8809da35b8a0d510043cb46c3d462863cc7a70581526b334071e140d820ba8752a757dd8bb6989ceef44bd3fc9a6051dbc39a930afdf9cb6cf4ad049315ad37e892d9c31361ce699ca86e81e70e6b4f0dcb48fa26fff91dec2b718e262c8aa621bb87b1e36afbbf59668b821adc462f2226921765225e6a343f57129e67a5da34119f242c875b08066d31d8a527602743aa30cb4a4f7bed5a1f21261b0f312e720d542e99d66784a0c5e9fdf7236c0efbf481af7e70c688681503d2a9265d8c4de77a1ea1cc813998200c9a8e6eb35c8080c2c2484d7b52306db92c4b57952f5d726f26f6153c5f512c2de4de2eaed954d3fa897fdcded48cdacba68b8f3c962e2cf1bd712c9c427b254fe74711e05c65d8aa349f986784d3510dac002ac2042cf8e1b61effe5448981439bbe6b19a1b875365e58eb2433ea3872d5dfddc19ef57989baa4caa8cb217ca8aefa194bca5d7278e01f83de5f2f362463f1c94983be20fe50fdf800501f57885d70f650ce2441342dcfe6fb6b3e39a32d0adc0d6dc207620a2b03c08fa025dd30dd3f03cc376a4a1efd4852282615e266a978c884b67b85abed3645f7f63074d9b7bb3584546042b88e0a5946b5b1684aea6ee37d9ef59f6374a8057eda3722c237554c79872380c383ea0d49ea0d4ee52050e42d17c9aa940a02dd7558df0768b76ec3f60f0e58469ff4898263795ebf585bee9e675be8d84f4ee35bf2728ad54b2dc4c64d5ad7791db7595c29fef90c07d9a8d9d64ae654eb3136e8931cde565a6ccafaf61c8601fd8316706e142b803f8db64c3460c00645bba0ff697888e345f2aae6138bf051ab310cc4b6739e6187ec15853a571409a7c5a7636e4a878b3c4971fe132948aa3db9f3168dd67cbbaa4f2842fa44cbf7dbc690568a37702ffe5dff77bf7f5a05e271f5227b75007fb22297696df27bfc6401c5f19cea613b5950a62f069b1cb54f00fa8644c6654c5616a6f3789fb354faa85fc6917a29c86b5f5450870a714efafe62407a24aae926ab692842cacc9abd7577395055084d3be83ba79a09312fbb7a4c45f44536a8e3e8caa2881bca1f0a3af49817fa3f7c3836a4468bff1ddedb8c311f0ff9f37ef0edf1f6bafdfbf7bf7e6359205d74a06b8039aac5e312eb5e96527679e67814b2bfdf3cae0d29238da320407188cf406491c74dfe01eab02697b52c05fd41c03e92e486ce905f51104c076a8870e3774dd930e0f64ec5891691abe6dc681b8d9efcc8f872f29f32d2961657512c9c26955afe4353a808082a79e4c149c37bce81d63fcb3c141fdbd5d85c5300f0950afd5465398e2028f58cdda57bf8396ab83fdb0ecd5d2afd37b4c79049a1299493552bdb1b90907303d9fdf6eb90e642880363375d3a1925606f905a2d09cec1a17f958292e3e3dc6d63f04615edb5740d7a5fd6ef23364251925943765029a420d15fd599e46cd422b18b3fa1c0afa8d5692f20c0299f7d9e28adce22a4699a757b4489894ebf6ac225ca9e457727e0ce2f29209266509ce8f62033a5bcb001ed1c0c94247522488cd6ea30460cf4535c5f59da5d845d966daddbd52d6aab3ba026475d66c2ea77531302d324a1adff08906f07ebbd293deaeb4f17e018c08e0c6bad62eeb4de69d3a7bbb103a2fe5d32a75a7424ee579dae14e07ad35556c7536009ab4fa3c80f561c04cde5668af4bf12ba5f69b8be91082a469739434cf54ec32ad171661c6efd05eb641646b317f005b0a1863d905a40f4c4f856726a4c918af24b4ca5982ceee62ddaddf1bde775df45d177def6cdf76d1b75df47bc39f7db0d537443ff186e87e6f78bf37bcdf1bdeef0deff786f77bc3fbbde1fddef0a729f137747cf4696f9ff6f67bc3fbf5ad5ed17b45eff7863ff7a5907e6ff8635eabe8f786f755cabe4ad9ef0def83b83e88ebf786f77bc3fbbde1fddef06710f6ae8b7aa96136063a43004026b0018d0b1ec9f16c45fbff09a1c4de4f60a7f36ccfd05dcc2a5af32579912d61435bb4f730c080787ab627db40875e04b547b452fdbe6d13efbd06549debf8b97de354b383815e6753f0b1a41e4da57e75dfe7805ece8421d09f034a2af7697f40b937df06b03be363cc56d12403299d8f6d5852362f33425556835df3e4aadea980ddffd4174dfb23f0f70e6c7b1b851530290f655d866cf69acf4de4e0e32736371c1cbe3d7a875b1c4edebcdb608bc34ac253038bddefb932c5cab0779358701ee5e24e07ecc29e8e6fddebf02e5f1321ce67bb291c5cdc8be0e932d40d110ae10a5b72974318e1079ee441283cc3b33fb517e1289e77c9cef71d40749fa5b3f65d48ca40a9cd36a9545676dc84c2bbec40b5deabdfc768bbe137a004dc5b922dcb168845b95495477cb65fcf4dddb9a59437ee6f98a71c649e9b5402ad21325ed94b154d15ed3a907aabd3521f7edf22df776ddda345fea0ee73c7b04c71f3a6c0a38ed154df36ee886b1fc45431a9e65b73c2690582d438722582c35a9bae1797cb54930f2e745def2b5550ea469b52180e7cbd767d2d94b3bc5693e142ba7c5bfcb11867cc3b8ceafd803bf4a6be1afbb2e2183531f223dbede4ef7bedfb55ac7e15abaf45f6cb58fd3256df6bdf476d7d81f9e91798fb5efbbed7beefb5ef7bedfb5efbbed7beefb5ef7bed9fa6c4f7bdf67ddadbf7daf7eb5bbda2f78adef7daf74b217daffd935babe87bedfb2a655fa5ec7bedfb20ae0fe2fa5efbbed7beefb5ef7bed9f41d8fb047bedb509244e201740367369982d76d6bbfe5faeb31e50812837556f56c3f6fa123e9155c1198fdbb771c8e834dfd3d53f4bc3bfea8f683e35ffd0b4e041e72803cb354aac3ac2ef87cddb3ee617517c9074f8d43f7ff9513bf8f0417bffeea75fb4c3a3e337af4fdf1fff02cf2dfcf08fa39fde9c2c5f7c7b70f4537dedf0cdc1a1f6e3f1c1bbd393817a43025a28da41800da06bf608904413e6a039f03d4ac032a355e43292aeb00d4f8838f2a4708463e986efdabe677ab16d1b228aa41546ba67f1c832c3c091a1e5723f0a791cf13840b3df78d18d43c075102bcbac8d6617309abc15e488fbdc83f11c5d082b8e65c845ac879e292c982fd64dd30b0c4f376dddf20c3f321c1d6e0f75c7316d83dbb65c02b906a7d96c32ac65b2d5288d4eabafdf1da00177f3f1180c394ad41c26dfd03dc78ded300eb967ea8119c6be130a87db6160fbba65b89e1deaa61e1b1e37391081433412ea46e09b06c0c8ef0684aaf935fb64d04874610903d3d0631eb8462ca5e3fa616c0591c785e19ad209a4e77a81e57a51e03bae2e03d331e14268c44054d3d70d59f307dbb1cf937830cca6698a171a874d6b00d7b5265316d27a78da3b4172be911cd4a24b4918c7e4aa9d8b87806f74ae306b45445d5dc15787e84eda8e1fe896b090b402c4d702d1f5b80d421a70238e63cbb242dd163eb70c1b0428125e1c39dc71b92d285c273b65eaa6ab1986669a14cd4c719f8a051e21e2b3f23c4fe116fde36fff0f264615f2');
INSERT INTO public.history_contents VALUES (2, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', NULL, 8, 0, '\x789c030000000001');
INSERT INTO public.history_contents VALUES (3, '\x91bac8d3208dfe87b856ef46edf4b697c990eeb974c8d371147d4875f1c0d935', NULL, 264, 0, '\x789c8d91c16ec3200c86ef7b8acae7202524b421d71d76eda1a74539388ebba152a820e9a5dabbcf6d564dda6916b2cccf27637e7a98396098a1b8819ba0038b931d2d6a6578d7aac634931acbad5158916e1b22512c1410f0cc42bfc630c71c3707f42c4dbe86971ec8c76512e4c3c7113ddca5194f1c44d2a5deaaaa525a1f4add95a5acf71588d1cb39c590a58fc26572734c9b8ce78be70741f1ca29dfc7cc9cae8e789f5c2077419fa1ebc1d4a6c67ad2aa25b4aad1528d66bb538cb5b544a3e1ba950bca356a75cf6ba267f58c5f4cff60c763a588ff6243011197f953ef399d5dce2e86b72456fe7f9ee1e1d71212a318767bec2e491e2a3f420c4558bc1fbe01a463770e');
INSERT INTO public.history_contents VALUES (4, '\xd7ad0ead43c9cfc57bbba38a4b2abe4345c3ce373f349a3a2ebf0c839a513006', NULL, 156, 0, '\x789c25cbb10a83301485e15729991b69455be32675e9d2c9ad74b826112e243762ae0511dfbdb18ee73f7cab40236aa1c0a85e412e4b7baf64511646f6975b29e1aaf3aad03a1525cec2601c1d2c2ff036a147200e319c3a709638dd6c0988bb65dcdfa66953fada0907b4a60d1e90a2a8dfaba083eb83f35f67813cea29ed81331d7ca2185b3bc0ec58d43ccd760f4f42467047d83edb0f1cbf3f55');
INSERT INTO public.history_contents VALUES (5, '\x994680470a20dd69bdd840a688cff6dd304f5c7abe95361749af70fa669814f0', NULL, 414, 0, '\x789cb553c16e133110fd15e4738c9a0211c96d0b342a2824caa6bd200eb3f66c62617b5633de564bd57fc7bb5da5810207242e96c6f3de9b37d6f3bd72562d14b4e940ecbe43721437e49de9d44459278d87ee3304cc98e214f3e2098435b43e5d0bf2963c6e908313c910518b7bd51ccb25434c03cba114f96a1f318ffea25610617fc21b8072495ca2af5f06679884eaa4db3c418fd334a3a11030daac31f93709f09eeeb4c94631e6aa69e46f4aebbb6c778b422d1b3c91b45d845c65b14e87816cf5d3d2a26b629d10c2ffd2360748eaeb440ddba0ddd13b464858f4eb2c12b7f8ac55a269d9a56ec9d4fe11b4c3d89b7bd6dd22d80b973c996fc89fb03bda7f8fb7cee06ff1eb7440eef331ca3d4cd4be453946e6aa4fe0f4cc02be99d6ba9a41ad5f9f4d67faad9de5c39cc37c5ecdcfe7d52b350a5fc55b97502e99429f5d1b5c9465aff8d86029a22dbc5f61a8faa12776ca9cbaebe64300e72f40d0966d25865d931ef3fa8bf96cb02c37db9fee07ee0db2ab1dda61a91d7d2417d7bc87387e0eb5a8c14b6654fd3bad84fc260b727940efc7dec30f9c254d6b');
INSERT INTO public.history_contents VALUES (6, '\xc2432f857f827fbd47c01c30b3519bb05d3967c6f3675c784aaa6c8ec7c1c4fb', NULL, 100, 0, '\x789cab56ca2c76cd4b4cca494d51b24a4bcc294ed551cacb2fc94cab0c4a2dcb4c2d4f2d2a56b22a292a050a17a5e666e6a50005e0ea61e285a5a9c5252ea545892599f9799e792e8995404dc6063a4a6540d54021252b039032b879d1b1b50067502b68');
INSERT INTO public.history_contents VALUES (7, '\xa8d2123259a6e1620d14796810a5d1844ff0101cab06342f938dd9cd31e33ef8', NULL, 44, 0, '\x789c53323536354e344e31d2b5484eb4d4353102b2924ccdcc7553138d2d2d9393934c538d2d9400b80f09c0');
INSERT INTO public.history_contents VALUES (8, '\xc31563b29a915ab58c015fc5d0114ff5d52cafda8ba5974c6189bbce551d68e9', NULL, 119, 0, '\x789c95ceb10ec2300c04d09dcfe88c25db89e3e65b2a06c7a9a78a8dff07d4461da1379c6e78c32d13ee49f0edbd7cac91e9fe7c6ddbe3b60ccd878e20f0f5974e9774bdf444ffd35985b97801645c21476398ad22a855656fe1d4f3a9b5071ab1404feda3bd1630930c5229e6142199fcd06fd8864b36');
INSERT INTO public.history_customer_lists VALUES ('gdap:partner', 'gdap', '2026-01-04T02:00:00Z', '', '', '');
INSERT INTO public.history_customers VALUES ('gdap:partner', '9ad9b9a2-5e78-454d-b065-a1c284cc4549', '9ad9b9a2-5e78-454d-b065-a1c284cc4549', 'Contoso', '', '{"tenant":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","name":"Contoso","source":"gdap:partner","label":"Contoso","domain":"","snapshot":"","relationships":[],"since":"","gone":""}');
INSERT INTO public.history_decisions VALUES (1, 1, 1, NULL, 0, 'TrackerRMS', '5353a3d2-8ca9-42d2-b567-ea399ccb5e38', 'ordinary member', 'needs-admin', 'certain', 'An ordinary user cannot connect TrackerRMS: Mail.ReadWrite, Calendars.ReadWrite and Contacts.ReadWrite are excluded by the Microsoft-managed policy.', '[{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"openid","verdict":"consentable","reason":"approved-by-policy","permission_id":"37f7f235-527c-4136-accd-4a02d197296e","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"profile","verdict":"consentable","reason":"approved-by-policy","permission_id":"14dad69e-099b-42c9-810b-d002981feec1","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"email","verdict":"consentable","reason":"approved-by-policy","permission_id":"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"offline_access","verdict":"consentable","reason":"approved-by-policy","permission_id":"7427e0e9-2fba-42fe-b0c0-848c9e6a8182","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"User.Read","verdict":"consentable","reason":"approved-by-policy","permission_id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"Mail.ReadWrite","verdict":"blocked","reason":"scope-excluded-by-policy","permission_id":"024d486e-b451-40bb-833d-3e66d98c5c73","policy":"microsoft-user-default-recommended","condition_set":"66080f17-4c96-48e2-9cbd-0ba3a1a6bcde"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"Mail.Send","verdict":"consentable","reason":"approved-by-policy","permission_id":"e383f46e-2787-4529-855e-0e479a3ffac0","policy":"microsoft-user-default-recommended","condition_set":"3a124c64-7e02-4f05-b7c1-dce27f7695f5"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"Calendars.ReadWrite","verdict":"blocked","reason":"scope-excluded-by-policy","permission_id":"1ec239c2-d7c9-4623-a91a-a9775856bb36","policy":"microsoft-user-default-recommended","condition_set":"66080f17-4c96-48e2-9cbd-0ba3a1a6bcde"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"Contacts.ReadWrite","verdict":"blocked","reason":"scope-excluded-by-policy","permission_id":"d56682ec-c09e-4743-aaf4-1a3aac4caa21","policy":"microsoft-user-default-recommended","condition_set":"66080f17-4c96-48e2-9cbd-0ba3a1a6bcde"},{"resource":"00000003-0000-0000-c000-000000000000","resource_name":"Microsoft Graph","scope":"MailboxSettings.Read","verdict":"blocked","reason":"scope-excluded-by-policy","permission_id":"87f447af-9fa4-4c32-9dfa-4a57a73d18ce","policy":"microsoft-user-default-recommended","condition_set":"66080f17-4c96-48e2-9cbd-0ba3a1a6bcde"}]');
INSERT INTO public.history_findings VALUES (1, 1, 1, NULL, 'dad94b0b5a1007e5a9ef53d221842f9c', 'VENDOR-CONNECT', 'trackerrms-uk', 'Users can connect the app without an administrator', 'high', 'fail', '2026-01-01T02:00:00Z', 'fail', '2026-01-01T02:00:00Z');
INSERT INTO public.history_findings VALUES (2, 1, 1, NULL, '70eb01cbcc6c4ea6aacc897ea9bc7174', 'VENDOR-ADMIN-CONSENT', 'trackerrms-uk', 'An administrator consented to everything the app requires', 'medium', 'fail', '2026-01-01T02:00:00Z', 'fail', '2026-01-01T02:00:00Z');
INSERT INTO public.history_parts VALUES (1, 'report', 1);
INSERT INTO public.history_parts VALUES (1, 'report/granted', 2);
INSERT INTO public.history_parts VALUES (1, 'snapshot', 3);
INSERT INTO public.history_parts VALUES (1, 'snapshot/organization', 4);
INSERT INTO public.history_parts VALUES (1, 'snapshot/authorizationPolicy', 5);
INSERT INTO public.history_parts VALUES (1, 'snapshot/adminConsentRequestPolicy', 6);
INSERT INTO public.history_parts VALUES (1, 'snapshot/directorySettings', 2);
INSERT INTO public.history_parts VALUES (1, 'snapshot/absentServicePrincipals', 7);
INSERT INTO public.history_parts VALUES (1, 'snapshot/delegatedPermissionClassifications', 8);
INSERT INTO public.history_parts VALUES (1, 'snapshot/oauth2PermissionGrants', 2);
INSERT INTO public.history_parts VALUES (1, 'snapshot/appRoleAssignedTo', 2);
INSERT INTO public.history_parts VALUES (2, 'report', 1);
INSERT INTO public.history_parts VALUES (2, 'report/granted', 2);
INSERT INTO public.history_parts VALUES (2, 'snapshot', 3);
INSERT INTO public.history_parts VALUES (2, 'snapshot/organization', 4);
INSERT INTO public.history_parts VALUES (2, 'snapshot/authorizationPolicy', 5);
INSERT INTO public.history_parts VALUES (2, 'snapshot/adminConsentRequestPolicy', 6);
INSERT INTO public.history_parts VALUES (2, 'snapshot/directorySettings', 2);
INSERT INTO public.history_parts VALUES (2, 'snapshot/absentServicePrincipals', 7);
INSERT INTO public.history_parts VALUES (2, 'snapshot/delegatedPermissionClassifications', 8);
INSERT INTO public.history_parts VALUES (2, 'snapshot/oauth2PermissionGrants', 2);
INSERT INTO public.history_parts VALUES (2, 'snapshot/appRoleAssignedTo', 2);
INSERT INTO public.history_runs VALUES (1, 1, 'finished', '2026-01-01T02:00:00Z', '2026-11-22T02:00:00Z', '2026-01-01T02:00:09Z', 9, 1, '', 5, 4, 9, 0, 3, '{"high":1,"medium":1}', NULL, NULL, '[]', '[{"name":"trackerrms-uk","version":"1.0","digest":"aede6c417ccfd7ec5c53018648727f441cdde3bd073ad32b95eb36a8dbafdaf9","client_id":"5353a3d2-8ca9-42d2-b567-ea399ccb5e38"},{"name":"grants-hygiene","version":"1.0","digest":"ada8a739950cc3ffebacf0b72c32d2f022791702403718d1508a7b055241a44e","client_id":""}]', 'consent-auditor 0.1.0', '[]', '', NULL);
INSERT INTO public.history_runs VALUES (2, 1, 'finished', '2026-01-02T02:00:00Z', '2026-11-22T02:00:00Z', '2026-01-02T02:00:09Z', 9, 1, '', 5, 4, 9, 0, 3, '{"high":1,"medium":1}', 1, 0, '[]', '[{"name":"trackerrms-uk","version":"1.0","digest":"aede6c417ccfd7ec5c53018648727f441cdde3bd073ad32b95eb36a8dbafdaf9","client_id":"5353a3d2-8ca9-42d2-b567-ea399ccb5e38"},{"name":"grants-hygiene","version":"1.0","digest":"ada8a739950cc3ffebacf0b72c32d2f022791702403718d1508a7b055241a44e","client_id":""}]', 'consent-auditor 0.1.0', '[]', '', '{"format":"consent-auditor/diff","version":1,"before":{"tenant":{"id":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","name":"Contoso Talent"},"taken":"","packs":[]},"after":{"tenant":{"id":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","name":"Contoso Talent"},"taken":"","packs":[]},"changes":[],"not_compared":[],"summary":{"new":0,"fixed":0,"changed":0,"unknown":0,"still_failing":0}}');
INSERT INTO public.history_runs VALUES (3, 1, 'failed', '2026-01-03T02:00:00Z', '', '2026-01-03T02:00:00Z', 0, 3, 'no answer', 0, 0, 0, 0, 0, '{}', NULL, NULL, '[]', '[]', '', '[]', '', NULL);
INSERT INTO public.history_runs VALUES (4, 1, 'running', '2026-01-04T02:00:00Z', '', '', NULL, NULL, '', 0, 0, 0, 0, 0, '{}', NULL, NULL, '[]', '[]', '', '[]', '', NULL);
INSERT INTO public.history_tenants VALUES (1, '9ad9b9a2-5e78-454d-b065-a1c284cc4549', '9ad9b9a2-5e78-454d-b065-a1c284cc4549', 'contoso');
INSERT INTO public.history_version VALUES ('0002');
SELECT pg_catalog.setval('public.history_contents_id_seq', 8, true);
SELECT pg_catalog.setval('public.history_decisions_id_seq', 1, true);
SELECT pg_catalog.setval('public.history_findings_id_seq', 2, true);
SELECT pg_catalog.setval('public.history_messages_position_seq', 1, false);
SELECT pg_catalog.setval('public.history_runs_id_seq', 4, true);
SELECT pg_catalog.setval('public.history_tenants_id_seq', 1, true);
ALTER TABLE ONLY public.history_changes
    ADD CONSTRAINT history_changes_pkey PRIMARY KEY (run_id, "position");
ALTER TABLE ONLY public.history_contents
    ADD CONSTRAINT history_contents_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.history_contents
    ADD CONSTRAINT history_contents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_customer_lists
    ADD CONSTRAINT history_customer_lists_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.history_customers
    ADD CONSTRAINT history_customers_pkey PRIMARY KEY (source, key);
ALTER TABLE ONLY public.history_decisions
    ADD CONSTRAINT history_decisions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_findings
    ADD CONSTRAINT history_findings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_messages
    ADD CONSTRAINT history_messages_id_key UNIQUE (id);
ALTER TABLE ONLY public.history_messages
    ADD CONSTRAINT history_messages_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY public.history_parts
    ADD CONSTRAINT history_parts_pkey PRIMARY KEY (run_id, part);
ALTER TABLE ONLY public.history_runs
    ADD CONSTRAINT history_runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_said
    ADD CONSTRAINT history_said_pkey PRIMARY KEY (target, tenant, key);
ALTER TABLE ONLY public.history_tenants
    ADD CONSTRAINT history_tenants_key_key UNIQUE (key);
ALTER TABLE ONLY public.history_tenants
    ADD CONSTRAINT history_tenants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.history_version
    ADD CONSTRAINT history_version_pkc PRIMARY KEY (version_num);
CREATE INDEX history_decisions_by_tenant ON public.history_decisions USING btree (tenant_id, since_run);
CREATE INDEX history_findings_by_tenant ON public.history_findings USING btree (tenant_id, since_run);
CREATE INDEX history_parts_by_content ON public.history_parts USING btree (content_id);
CREATE INDEX history_runs_by_tenant ON public.history_runs USING btree (tenant_id, id);
ALTER TABLE ONLY public.history_changes
    ADD CONSTRAINT history_changes_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.history_runs(id);
ALTER TABLE ONLY public.history_contents
    ADD CONSTRAINT history_contents_base_id_fkey FOREIGN KEY (base_id) REFERENCES public.history_contents(id);
ALTER TABLE ONLY public.history_customers
    ADD CONSTRAINT history_customers_source_fkey FOREIGN KEY (source) REFERENCES public.history_customer_lists(source);
ALTER TABLE ONLY public.history_decisions
    ADD CONSTRAINT history_decisions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.history_tenants(id);
ALTER TABLE ONLY public.history_findings
    ADD CONSTRAINT history_findings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.history_tenants(id);
ALTER TABLE ONLY public.history_parts
    ADD CONSTRAINT history_parts_content_id_fkey FOREIGN KEY (content_id) REFERENCES public.history_contents(id);
ALTER TABLE ONLY public.history_parts
    ADD CONSTRAINT history_parts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.history_runs(id);
ALTER TABLE ONLY public.history_runs
    ADD CONSTRAINT history_runs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.history_tenants(id);
