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
INSERT INTO public.history_contents VALUES (1, '\x5f0dae903a33984eaf7b4ca1c01a9cfe23c476e02f230bad2518fbdc1b42c2d6', NULL, 5949, 0, '\x789ced3d6b6fdbc696dff7570c78bb75028832df0f15e9856f92ed066892227676b15b17c6901c5abca6485d92b2ab76f3dff79c337ce961478ee526b6190489449133e7fd987366f8ab12e7c58c57ca4809f3ac1459a5f245945479715888795e54ca6ffff6ab72298a32c93365a4e3b74a643c8327fe54924899283e8ffcc0e7866a0bd7532ddb8ad440736c95eba1e1596108577c183ee3330177bfccb32a2f7376c253984cf98403968bd98c174b1c9167e59528e0bea38ce5459464709d2d4a51b09067595e3180321361c54e0a1e5e88e2c3dbe3097bcb9374fc41f0e8bf8ba41223f612c78e7851761719cf228673f3b05ab95c08267e0fd3452422162c593515ec6d121600625ca9339ef173f8619ea749b81c0316735e9602b0b6474a0cb3e2476ba42cb28b2cbfca94893b52ae78728997354039afcef87c0ecff22005e40dc2364cf34504439da779c053a26fc52f0450573134c351755d358c13cd98681afcfd5f79439ea79b2c62da581f6b7443992f8a50c02df42d1261820c2b89a4f3b932f9b3a17f47371c2f4d60b83362a36dda26372343f542eeab96019f02db7155c14ddf0fc3c016a6078f5cf22241ee4f14e5d3083817fc13b801df5a66cdc42c000e8e947c518539cd990911952a8f664926918893486421fe148aa2e274b910bc04119b286598cf85da30450d96aa243fdc13889083307cbbe211e6114177f4eaf8e4d8d734df828b65580881989d2aef80128c08c1802d457ec9d35365d2839611add85c14b3a44416b22a673c0c4559b242482e970c1e5fc24720c139cf923f7845374e79c5f22c5d0232f51c4014765e00bbc60406d0b55426bffea93423014c9afc63aaf8affc276c3e357f883bf289b35a8c5a22b09f0a3e9f36c3a320cc4596a07c83d18812928d5a6c49097a8c961458637124401e52f8555e61b396dac8663512315fa4955a0890ad19b011e8998aaa242128593d1312ad85a3a3a51474d38dddd8306dd536dc50b574d35181c0916a71cd8874df357c07c1ac219a289f87400a35a824ce510a44d9e4ba61858ea5ba4233542bd66c3570435d8d4261c0fc8e6fc736d1e25f8ba4407351150b3152c0ba2c66ddd76486c6238101639e96e25add292b31979cbd1dd417498614493292f02f47031c483845b015841b2e5c4d97ad28b0a46479cc38ab967321a554326bc6973d868139f942f06b05dd02bee3689e16ebae6a85bea35a9e30543f0c22550b3860c69d20a4c73af089cc5be047d3926702f14013902640f1a8a7a5e57d401fe886c64dc751632d0854cb0f63d533620388afd99e6bc67e106937408f80b643321892912f02f3812605309a82d96cf4fa07b66f64799ae6576aebb1e620a03b089ceb056ea4f150f52c17d92634d51356a8465cd703cb0c6dcf0ff6c3b11fe83ac075fddd04f4fde16a98a61687b1aeda8ec155cb0a3cd5f380dd5ee4bac2335ccd31c2afc2df9d49f31b12e73e9d0938883821aff195bd4907c8ba3bd1ad88478e2f54cdf7414b8dd0573d5d0bd448d30cdfd36321427d7027fb7027350f1eae3fe921f0041ccadeb1fd2a1ee536583c3597722fb4b9779f2266e812beba4769c058f7278ec59d308a2029e1810e49098f551ff96886a16769b6f03552d2c19fdcd99f10071eae3769c17f02be64cfb87e154fb23b0e4fcd8fdc0365eedd8be4719c269938936b735fdf9d6cc0b3ee575ccb002b297cd5880360a9110b35d0421061cb0b7de1704ff78cc1afec65d96b85150fd7c16ce2f1043ccd7d21fd7596c36e8fcc53f33df749a27b77421f81da54adfafafea70fcabaeb117a2c9c28f254b03b90d2448eae7abe7091ada61f71cbf1cc68703dfb703d2d171eaed75941e109389c7bc0f7abf89adbe1f1d4dccc3d51e7de3dcc6aefc48a9b09d23cbc208ddaa575a37534ab232282fd068b9dddd01637a3195664790ee435960d6e0695d733cd483585e344be17daa16bded9cdec68dd1eb79bd9e4e143f1352b68dca8c3d534297b0abc05e5c7ed9736117ec0cee969399b2f60dd37e6718e4129be7e4ed3076523a7313d33b6c0d918ae0702691bbeead9b6503561b93e37e398874399667fce06b9f090fcccaafeaea0f004729a7bc0f7abb88ddbe1f1d4729a7ba2cebd7b982dfddffb486cb6b595ef31bbd14568987e082aeb86be6a3986a9725fe7f08febda9eed0481e90cd9cd3e1cce358c7c28aee78b539cebf07edcbeea1aac1fb0d77a5a5ee84bf9f70df9a38d7d477b71479bbb99f6e88d22db713c438480ba2f54cbb5c01bf1d85275304a3cb442ce8dbb773d0fdee85a3e3e7e67b41ded47ee8bb6223db8a287e28abe8c7ddf8e27c28c2ec87f3f16559564e7e5666bc11d6a3eebe3eed31b796e6c592e764ac7dc022935c12c4531309cdb2e77cd48f7686ff45fec8d6a77f3b8dcd175ac7cf40ee95ac41fb74bba0eedc1293d10a7f4c50cbc855bfa0dac5c5ae660ade053942f82aaac3f8b39c87579869e02bfd76742d4bfc2a0f451398121c98fd0c0381f1e618076734e48d6b3168b54b0390f2f24689730745eb0281712bef92280c7a72c018a0031c4efd55841c8a2cb046d2bce4866e9ec2aa9a667742e021dd371951717e5599c17f53df2308f1a4639c959c99704e9515c01758930f28485dabaa5497631ea41755002a0e7701790854d011cba1d902b7895639569cab373410fc8e32bea71ca9a4d74204598020d9278d9e70aa20642c7c08d40a881e73a9ca09d9a17391ec401d35e26e26ac28e2f92b9b4c4735e5423569f9cb10635e02ccd1c7299a7c860f4ca59be389f8ed96bf0fbcde91af9228de4511260e6a95dbf7f4405ce030fd6f02628197d28a5602e6916f21330b0bcad66992846f2048e37c7478042c04b814d990c8f582959b908a7e85ce8d81962699cfcde9c640112857ef303669b5552a5f5e1202be4968097fd6336562920d8d53407d992538c301ce1c452891ac64d25dd569fa1015e3ea7995ee2592eec489ef142a27ad49f78c460f86b7fed9c3c5a1af0fb294ad87bd018c9140200c95226e7199ef9c1cbf6688f16b55a351ae28c940f0225802ef6c58610e91100c3145156b5a04df31c84e3280cc5bc1a335447925e79a4080004b7a1e05ff122925e3dc0235398288a0e04e26efb2d28f2ab92f89a565394a796e45780c679026a32414dc56f897c04a73c404d890a6cc50d319a4eb25a75ceeac75f9c8003272198e757a0cc539162840988f33fe4ffe714d482f27ea2c815f407e5635113154c6a08543d8791893b537e49a8ac9e26f30cedc93aad9fb7a7cbd4e822b917a0ed30feeb0cc8332f92927e28d98f7d5affc87ee971e247a03db16845ab810b7039bf209b30a3a386b0b29da1707427e9d400946a99e0f149e952b9367ebce9ac9c7a943e8c6813611e602c981f903488f2279bd286968c94097457907968c2ddda7e6fd3273a7ce6868382a4fb8a489f6702c0409ff7cbfbe313246f81dc9d56d5bc9c1c1e126bc7ad331e03550e2ff5b1760858a191ffa500af9bccc1e82201f26889d483e1dfe0883b1d70f40903f86a51a0f957fecc096896448d5467c0b67a2e30b9f5649f2856f842c873bea8a646271f3f91a9ea812fcf68220c7686a73d29ea644979dd519aae90a6890e685433149cc726c450ba656008cd555f8f7cd5c4c8da8778ca8f4365fd7c9f76efafdcbbb5d645df753baeb5a27425c36dcbb65b164257f9b18a380922107f25e68007d06ef6489fe6e749d6913ecf105262c02e27971d5e1ac025d2829aa67f6f4fcd7ab18b487d4f847b21c9f6ef8656130e3e11e9e0ff55e2c1859b84a625ed67ee5b25fc2e37235b3e73df16a67dee890d967e0fc6020c46589d2d8ae445f3ece2028cdfb892f6482d66253dfd3e8e41b24dc7c699d37fc08f2088e48f50339a63e326ca3b087ad16ca1f591f12f1ae1950866c54fd6f10c06446b2690f96c96178da39fc850e799f17cc4c20677f64cc7af3562f21b7a68153d74d669c633fbf9b8d3c433994b9cc9c0af6cb3ff002e61d804087d22df85b615b15b5fa581d0607be17a6bf9a0d95dbed1bfdbef69dad833d89d99d51e77d2edebf88d7491cb9c04810de05b544d3159453a93c182685a24e7d33ab0c68f223a0b96d23337f13e8e247e9f4b7f7022d3190a0d605a88f82909c0c521c02aa533d7ca862163f6a6c2a45c4a10fbf8e10dc69dc8588c5d295c694211602ede1e3370cd0567e514e211260f66b3354dd721a082e88bb71645ce2d6378396e7650c154e798eac08c3242cd6a494b5a3fd8844b1855d04a4fb902f1cda94ae3eb2f040529bada069818579c35a14ccfbbbc7afdf3eb93d777f52f87d798d2d11d66daf0c187bbfb4f8ae9d3f42cc9a478f4027bb317d813f07d95dd26235b6310b8505014bab9f8b95b28bf35585f8f425fcac04a7d7b4e8333f584267f13b1835d7ccd01538f250a073d383af51d831f3f181dbc12a938e7207a6b5c5dbbf134fb0e08ff823d7b93615cd900f54106fe4c7d4b8c6618ae30f56391b083dbb3182046f353471aec8077601ffeb3cc33f8fd1f6016d8c19fa7320ec3d30e4f770ac54e954f07cfc749749aed0ffeedcab02b12cf108b261c9388ec2ae1a7ca08eeee0565f2f195b84cded38566f2965da233f92449bf7ce82f8dd19051f06d9ef250008976a4c8c18881783e7fde246efc0f46811a53d55a637755997a152ecb554832cab04868cda864df7f7f0a4478f1dd3318ba208951a56d63f39cbe815dfb429957a7803c2e70d772a3224b5faccb0ddc17dc41f8e1719074885f8094aa0ae6700ee959555e3e27ccee86d4b58a707bcc5615e2e05401b6d2ff8f5be27b0b0d43d63a64ad5f90b50ecb53c3f2d4a0e84f40d1b72f4f0d2b198f6e25835f40ea26e2189580ce620fc5a8b55c7c6d9563bc627557962edada4ccab1da8887d0a3c1af2bca7b5d713087a5867ba9210e25c2a144f88dc660697221d2cfbd4d6308c18610ec718660cabad94bb246590fca7abdbf90a638e45802003b5650cf546d1ea4c8fed0140db0a1a5f3c29db4e7194408fb2f47dea512f96d57dea4b5d8682baad69842c521e9806ec9acb52a93ac0835dd6c770870efab2ed6d498ca0d4f7dadc86e0d0d6564b96ce2c74ef7461baf466ab5ef366f49c2a21c79fcc63b11cdd52bf0389bf1053864d13a8840c498a2e0b032c865690e242f1a045750eb95c986a0b50b5abd5ed0fab3683aafc13d934e366f999ab012942c9c6e695dc4f6c7189bf5f24c662b740f78675a076e5a2fd159ff446f2c5b8d5031e294c10adcdd45bddb6ebd21986d8827b056bb4a3c08866405f7cd2bf9712d887a59a34109eb4a0c75b48266d3598972740c743aa584b0a47764d591ee1a61b06b11e720e541f95c6478fe085eef6e3955f0fbff081af7630634c3c8a61e15c9326a42e7db50b503f258a4202222aaf97a055200038702a2e3dab382f548e23a7b90c5cf26706f6193b5eb12e2d8cdb0787f35cb5fe46bd03abb50b3a6aed81d7cb692f771e7421e59e84494d21daece23c1b84d6532295f1367a90041bb3480f044d6e58746b4fb3f150226453e6e79aca6fdab85b45a6fb2577c490f9b9afcb937deaf30379578640de33010153f4499784b2f969b01f087d263e7c5927e382a31d1c31fcabf7f07160194e1055e7f2562101e9a10c2ee7fb18303c710be66fa96eaf8b10d0181e942cce66baaa61bbaebea962d74eda0aed2100c5d8da65daf212e9de252f541933cfd8d1d912482df69568ac86460f90ebc8e7455eb82d0d7cb4993aa9e667fa36c75d3de4947818904e639948261bcf00b4aed314aed98ca5f1049e68b4cfaf1b6565635c2dbaf98b1ff03032ee64cfd8f84a96257b9de5e655bec5e64db49486f5f707b84d24af5c2dd4456de7a1bb9dd56a6fb788bfcebf36cece5622d739aed5e6b8c692eaf33a5bbbe8521ca04d8d131837021dc01fc7db261270600b22ddd95c91ad191e66b952d8cc6f74063168079e9ada67c805f307694591890265f94ddee895cc68f259fc935231917b73f63103a61ebba24c3fcbf48997efb74dd02ce4e6f4bfde6df847afbe59c4127ef5327f75084ba8f0c39cbef921e63948def4e668bb9dc630401f6a2183319d903e4191319955098dcaf4cd27dc5936a25391a4350d370b2be08f1ec8282f9cd84e328ac92cba45a6e64182bebe5f23dbe5c86f814d0b42fe36d1ee865b4de0d19ed5fa2183503ef4733a4fcf513d8dfe84dd820ea11da637c4b35eeed0304ffebf5bb57ef3fa82fdfbf7bf7fa25e28d6b190a6edb252b56cc4a7571d1cb78bb1c6e6de1bdabbbadad50a36dc27519e0201214444de9bfab3a96d5c6767bfb376a5e8174e72497f42aee08025a2bd0029beb9ae60a9bfb22b6cdc83074cf32623fbcde8f7467779794b796946eb23a2964c1a2aa17d61a214740c1f3cee712ce6b5e698d31fba972547f6f1745316c4302d44ba7d102a638c7a337b3f625d7a0c694d552cda9a55faf6d97f202b415221372a47a376ee3de31b9ee6e371d1b320e409b199a61533d29837c0151684efc8c8b7c2635139f9e611f1d82d015ca25d0759dbc9fcc8c58495607e54dea785337a10a3a836cbf59f7046b551f9e40bfd14a4f9e4160f23e5b5d315b5d8328f3f49216f19272db6e4d842b15fcb25e7cdeb6951493ac04e747b101a5ac6500cf15e064829b97c58f1b2500071d560b5c9d598b45a4f1a52dc91b55a63a4b2b405697cd8e685ab702db21a284ecc37aeff4b051e7516fd4d9b9b11e1d3cdc5897b545bd99ba57d26e172dbbaa39ad19f78ad15409a79ddc5848c89a82b1dcbe8e06acdeb2beddab2fc54d35edbaeabd51d5bebe6e0d11459a36070af34c86228b7a111066fc01ad631b02b6f6f1ef60390163ac7980f481a1a9705b7f9accf04a422b922568e8188b5ec31ee8a1c1616870189a4c870e87a1c361d803fdc442aba173f871750e0f7ba0873dd0c31ee8610ff4b007fae1ee081df6400f7ba0873dd043d63a64adc31ee861796a50f441d1873dd04f6f2563d803fdb0971a863dd04389f0f1c760c31ee821047bc221d8b007fa1badbc0d7ba0873dd0c31ee89d82566a2d8d8192e0d1c9a63593f3904762b6dc50e7ff84d8e0f06730bc7976a86b0e46fdad3d12bcc8d6e0a5adc88718314038bc3c146de442eff939246ac8ced8b6ddf54e03ca1e6ffcdcbe50a869e6a7579e147c26a8bf512a58dd33890110161dd022518e37a14efaf2b06b981f2ff90c9347b4b1cac4f23eb57146d9bcf00695550e76c521e4ac9bf66f6ed13f7af5f6cd3b6cd43f7efd6e8746fd8d5ca246127bb87369f7a415ed278060a9cbd57e7dec255ecc6eecd87f976f09c7bad9ae8bbd563bea5d4d049a1e0661e88496e00e079fedf9aee07e10baba6b7daea3fe4ddc757f76ddf3104a67e9b27d978d340f724f482aa48d9b3571e7981dc90672f9fb0c2d27fc0694807b4bb224d90ab1284da9f2882f27f5dcd4755a0a716d977e17df93716ce276b445c87869ad64e852b44b26f2ad3c6bdde443a3f713ee46ba6da3f751ddad8d118fe4e6754ebe0e7f64f7316ed36a1fc42c2ca9baed24c1a202416a9ca614be51ad3b57ab0b4bb29b059784ae2652f0a572d1460a86035f6d5d890ac432af9562b49289dee4eb577d7ad74a536f523b60f955d6605f561c231446167dbffde843c7f8b01c342c070d25b9613d68580f1a3ac69f608c36d4591f579d75e8181f3ac6878ef1a1637ce8187fb8fdb343c7f8d0313e748c0f59eb90b50e1de3c3f2d4a0e883a20f1de34f6f2563e8187fd84b0d43c7f850227cfc31d8d0313e84604f38041b3ac6bfd1cadbd0313e748c0f1de34fa1635c9d4362039c07c2186bc3ecb13fdcd16fd51f8e4a43cde1d8edb7a5fd1b6fa68660059809dfa3046c032aaa6f99566c9bbaaf3b81cd83986b91d04de1c77a10798e856f3b70625d8b0cdf312d07b2433d888d28f4dd28b4c13adb68781a3bbe7310b20d62692cd4e9f21c46133781ecf8816ebba11fb99a6986b1e5c6be05a07981138506f74cdd30351e479e6e1bb1114481616ba6eb589615399165dbfe1ac835384d8f3f4044975b1150e938edfa7073153c503e9b816d11511f264fd75c209415c401770dcd3782d8b303209115f896a799bae35a816668b1ee7283031138f8c340d37dcfd0752fe2b70342d68c9aed0928d57d5802dfd0b598fb8e1e0b613b5e109b402b1eea8e216c5fb88eeb9b8e1bf99eed68c2376c032e047acc3d6e789a2e6afe60efed59122ba36c91a678a1711994735ed532497170eb63a82d9e547a2739a84597d2008ee1bd9cebff01a603b862');
INSERT INTO public.history_contents VALUES (2, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', NULL, 8, 0, '\x789c030000000001');
INSERT INTO public.history_contents VALUES (3, '\x91bac8d3208dfe87b856ef46edf4b697c990eeb974c8d371147d4875f1c0d935', NULL, 264, 0, '\x789c8d91c16ec3200c86ef7b8acae7202524b421d71d76eda1a74539388ebba152a820e9a5dabbcf6d564dda6916b2cccf27637e7a98396098a1b8819ba0038b931d2d6a6578d7aac634931acbad5158916e1b22512c1410f0cc42bfc630c71c3707f42c4dbe86971ec8c76512e4c3c7113ddca5194f1c44d2a5deaaaa525a1f4add95a5acf71588d1cb39c590a58fc26572734c9b8ce78be70741f1ca29dfc7cc9cae8e789f5c2077419fa1ebc1d4a6c67ad2aa25b4aad1528d66bb538cb5b544a3e1ba950bca356a75cf6ba267f58c5f4cff60c763a588ff6243011197f953ef399d5dce2e86b72456fe7f9ee1e1d71212a318767bec2e491e2a3f420c4558bc1fbe01a463770e');
INSERT INTO public.history_contents VALUES (4, '\xd7ad0ead43c9cfc57bbba38a4b2abe4345c3ce373f349a3a2ebf0c839a513006', NULL, 156, 0, '\x789c25cbb10a83301485e15729991b69455be32675e9d2c9ad74b826112e243762ae0511dfbdb18ee73f7cab40236aa1c0a85e412e4b7baf64511646f6975b29e1aaf3aad03a1525cec2601c1d2c2ff036a147200e319c3a709638dd6c0988bb65dcdfa66953fada0907b4a60d1e90a2a8dfaba083eb83f35f67813cea29ed81331d7ca2185b3bc0ec58d43ccd760f4f42467047d83edb0f1cbf3f55');
INSERT INTO public.history_contents VALUES (5, '\x994680470a20dd69bdd840a688cff6dd304f5c7abe95361749af70fa669814f0', NULL, 414, 0, '\x789cb553c16e133110fd15e4738c9a0211c96d0b342a2824caa6bd200eb3f66c62617b5633de564bd57fc7bb5da5810207242e96c6f3de9b37d6f3bd72562d14b4e940ecbe43721437e49de9d44459278d87ee3304cc98e214f3e2098435b43e5d0bf2963c6e908313c910518b7bd51ccb25434c03cba114f96a1f318ffea25610617fc21b8072495ca2af5f06679884eaa4db3c418fd334a3a11030daac31f93709f09eeeb4c94631e6aa69e46f4aebbb6c778b422d1b3c91b45d845c65b14e87816cf5d3d2a26b629d10c2ffd2360748eaeb440ddba0ddd13b464858f4eb2c12b7f8ac55a269d9a56ec9d4fe11b4c3d89b7bd6dd22d80b973c996fc89fb03bda7f8fb7cee06ff1eb7440eef331ca3d4cd4be453946e6aa4fe0f4cc02be99d6ba9a41ad5f9f4d67faad9de5c39cc37c5ecdcfe7d52b350a5fc55b97502e99429f5d1b5c9465aff8d86029a22dbc5f61a8faa12776ca9cbaebe64300e72f40d0966d25865d931ef3fa8bf96cb02c37db9fee07ee0db2ab1dda61a91d7d2417d7bc87387e0eb5a8c14b6654fd3bad84fc260b727940efc7dec30f9c254d6b');
INSERT INTO public.history_contents VALUES (6, '\xc2432f857f827fbd47c01c30b3519bb05d3967c6f3675c784aaa6c8ec7c1c4fb', NULL, 100, 0, '\x789cab56ca2c76cd4b4cca494d51b24a4bcc294ed551cacb2fc94cab0c4a2dcb4c2d4f2d2a56b22a292a050a17a5e666e6a50005e0ea61e285a5a9c5252ea545892599f9799e792e8995404dc6063a4a6540d54021252b039032b879d1b1b50067502b68');
INSERT INTO public.history_contents VALUES (7, '\xa8d2123259a6e1620d14796810a5d1844ff0101cab06342f938dd9cd31e33ef8', NULL, 44, 0, '\x789c53323536354e344e31d2b5484eb4d4353102b2924ccdcc7553138d2d2d9393934c538d2d9400b80f09c0');
INSERT INTO public.history_contents VALUES (8, '\xc31563b29a915ab58c015fc5d0114ff5d52cafda8ba5974c6189bbce551d68e9', NULL, 119, 0, '\x789c95ceb10ec2300c04d09dcfe88c25db89e3e65b2a06c7a9a78a8dff07d4461da1379c6e78c32d13ee49f0edbd7cac91e9fe7c6ddbe3b60ccd878e20f0f5974e9774bdf444ffd35985b97801645c21476398ad22a855656fe1d4f3a9b5071ab1404feda3bd1630930c5229e6142199fcd06fd8864b36');
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
INSERT INTO public.history_runs VALUES (1, 1, 'finished', '2026-01-01T02:00:00Z', '2026-11-22T02:00:00Z', '2026-01-01T02:00:09Z', 9, 1, '', 5, 4, 7, 0, 2, '{"high":1,"medium":1}', NULL, NULL, '[]', '[{"name":"trackerrms-uk","version":"1.0","digest":"9434f531916b5abfa0de13e9f1bd86469f56f10d296346ffe1bf2dc97dc5a395","client_id":"5353a3d2-8ca9-42d2-b567-ea399ccb5e38"},{"name":"grants-hygiene","version":"1.0","digest":"69b157c9d7033cf47f9446f8b6dc2a831230afd8152f2bdb250376444d6d4559","client_id":""}]', 'consent-auditor 0.1.0', '[]', '', NULL);
INSERT INTO public.history_runs VALUES (2, 1, 'finished', '2026-01-02T02:00:00Z', '2026-11-22T02:00:00Z', '2026-01-02T02:00:09Z', 9, 1, '', 5, 4, 7, 0, 2, '{"high":1,"medium":1}', 1, 0, '[]', '[{"name":"trackerrms-uk","version":"1.0","digest":"9434f531916b5abfa0de13e9f1bd86469f56f10d296346ffe1bf2dc97dc5a395","client_id":"5353a3d2-8ca9-42d2-b567-ea399ccb5e38"},{"name":"grants-hygiene","version":"1.0","digest":"69b157c9d7033cf47f9446f8b6dc2a831230afd8152f2bdb250376444d6d4559","client_id":""}]', 'consent-auditor 0.1.0', '[]', '', '{"format":"consent-auditor/diff","version":1,"before":{"tenant":{"id":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","name":"Contoso Talent"},"taken":"","packs":[]},"after":{"tenant":{"id":"9ad9b9a2-5e78-454d-b065-a1c284cc4549","name":"Contoso Talent"},"taken":"","packs":[]},"changes":[],"not_compared":[],"summary":{"new":0,"fixed":0,"changed":0,"unknown":0,"still_failing":0}}');
INSERT INTO public.history_runs VALUES (3, 1, 'failed', '2026-01-03T02:00:00Z', '', '2026-01-03T02:00:00Z', 0, 3, 'no answer', 0, 0, 0, 0, 0, '{}', NULL, NULL, '[]', '[]', '', '[]', '', NULL);
INSERT INTO public.history_runs VALUES (4, 1, 'running', '2026-01-04T02:00:00Z', '', '', NULL, NULL, '', 0, 0, 0, 0, 0, '{}', NULL, NULL, '[]', '[]', '', '[]', '', NULL);
INSERT INTO public.history_tenants VALUES (1, '9ad9b9a2-5e78-454d-b065-a1c284cc4549', '9ad9b9a2-5e78-454d-b065-a1c284cc4549', 'contoso');
INSERT INTO public.history_version VALUES ('0001');
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
