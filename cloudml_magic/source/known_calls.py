"""What is known of the calls that notebooks make: which only show or read, which set global state, which draw.

A call that is not listed may change what it reaches. Being listed wrongly loses a statement that a job needs, so a
name stands here only if it reads under every owner that notebooks give it.
"""

from __future__ import annotations

from cloudml_magic.source.words import words

# Modules of which bare calls only show something.
DISPLAY_MODULES = words(
    """
    matplotlib seaborn plotly bokeh altair pprint IPython ipywidgets warnings tabulate pylab
    mpl_toolkits missingno termcolor colorama
    """
)

# Functions, by their last name, that read their arguments and change nothing.
READING_FUNCTIONS = words(
    """
    print len range enumerate zip sorted min max sum any all isinstance issubclass type id repr str int float
    bool complex bytes list dict set tuple frozenset map filter abs round hasattr getattr callable iter hash
    help dir vars display pprint reversed divmod pow chr ord hex bin oct format ascii input slice object super
    time sleep perf_counter collect plot_model set_option reset_option set_printoptions get_logger clear_output
    model_to_dot getsizeof deepcopy copy assert_equal assert_allclose assert_array_equal assert_almost_equal
    """
)
_READING_PREFIXES = ("list_", "is_", "get_", "has_", "show", "print", "plot", "describe", "display_", "assert_")

# Of these the result shares nothing with the arguments.
FRESH_FUNCTIONS = words(
    """
    len range sum any all isinstance issubclass type id repr str int float bool complex bytes abs round hasattr
    callable hash divmod pow chr ord hex bin oct format ascii input deepcopy time perf_counter to_categorical
    get_dummies train_test_split concatenate stack vstack hstack concat array copy zeros_like ones_like where
    unique argmax argmin argsort bincount linspace arange mean std var median percentile quantile cumsum dot
    matmul exp log sqrt clip confusion_matrix accuracy_score classification_report pad_sequences normalize
    one_hot cast getenv join exists isfile isdir basename dirname print
    """
)

# Methods that read their owner and change nothing.
READING_METHODS = words(
    """
    head tail describe info summary sample plot hist boxplot value_counts nunique unique isnull isna notna
    notnull sum mean std var min max median mode quantile count corr cov round abs any all argmax argmin argsort
    idxmax idxmin cumsum cumprod diff nlargest nsmallest groupby agg aggregate apply applymap transform merge
    join assign drop dropna fillna replace rename reset_index set_index sort_values sort_index astype copy
    reshape ravel flatten transpose squeeze tolist item items keys values get numpy to_numpy iterrows itertuples
    select_dtypes query filter isin between clip shift rolling resample pivot pivot_table melt stack unstack
    explode drop_duplicates duplicated to_dict to_list to_string to_frame map eq ne lt gt le ge memory_usage
    predict predict_proba predict_on_batch predict_classes evaluate score count_params get_config to_json
    get_weights get_layer get_params get_feature_names_out inverse_transform decision_function split rsplit
    strip lstrip rstrip lower upper title capitalize startswith endswith find rfind index encode decode
    splitlines partition rpartition zfill format casefold isdigit isalpha isnumeric swapcase ljust rjust center
    translate removeprefix removesuffix batch prefetch cache shuffle repeat take skip cardinality unbatch
    interleave padded_batch take_while as_numpy_iterator with_options enumerate union intersection difference
    symmetric_difference issubset issuperset isdisjoint most_common imshow set_title set_xlabel set_ylabel
    set_xlim set_ylim set_xticks set_yticks set_xticklabels legend savefig tight_layout suptitle subplots_adjust
    add_subplot annotate colorbar grid axvline axhline axis scatter bar barh show get_figure set_xticklabels
    set_yticklabels tick_params matshow contourf fill_between exists is_file is_dir glob iterdir read_text
    read_bytes resolve absolute as_posix with_suffix stat dot matmul nonzero searchsorted conj trace diagonal
    swapaxes view tobytes toarray todense get_shape as_list to_html to_markdown style pipe equals ewm expanding
    add_prefix add_suffix pct_change rank to_period to_timestamp total_seconds strftime isoformat date weekday
    timestamp parse save save_weights export to_csv to_parquet to_pickle to_excel tofile savez to_hdf to_feather
    scope isoweekday mul sub div mod floordiv truediv
    """
)

# Of these the result shares nothing with the owner.
FRESH_METHODS = words(
    """
    sum mean std var min max median mode quantile count corr cov round abs any all argmax argmin argsort idxmax
    idxmin cumsum cumprod diff value_counts nunique unique isnull isna notna describe copy astype flatten tolist
    item numpy predict predict_proba predict_on_batch predict_classes evaluate score count_params get_config
    to_json split strip lower upper startswith endswith encode decode format to_dict to_list to_string dropna
    fillna drop merge join assign replace rename reset_index set_index sort_values sort_index drop_duplicates
    groupby agg isin pivot_table melt rolling resample clip shift transform inverse_transform fit_transform
    sample query get_weights dot matmul join keys
    """
)

# Training changes its owner and nothing else.
TRAINING_METHODS = words(
    """
    fit fit_generator train_on_batch fit_transform partial_fit adapt fit_on_texts fit_predict
    """
)

# Methods that change their owner, not their arguments.
OWNER_METHODS = words(
    """
    append add extend insert update setdefault pop popitem remove discard clear compile build load_weights
    set_weights sort reverse appendleft popleft write writelines writerow writerows close flush reset_states
    reset_state assign_add assign_sub put send setup seed set_params register __setitem__ __init__
    """
)

# Functions that change their first argument wherever they stand.
CHANGING_FUNCTIONS = words(
    """
    setattr delattr next copyto put putmask fill_diagonal place heappush heappop heapify heapreplace insort
    insort_left insort_right
    """
)
SHUFFLES = frozenset({"shuffle"})

# Attributes that are plain values of their own.
PLAIN_ATTRIBUTES = words(
    """
    shape dtype ndim size nbytes itemsize name names __name__ __version__ __doc__ input_shape output_shape
    metrics_names columns index_names suffix stem
    """
)

_STATE_ROOTS = frozenset(
    {"keras", "tensorflow", "tf_keras", "torch", "jax", "numpy", "random", "os", "multiprocessing"}
)
_STATE_NAMES = words(
    """
    set_random_seed set_seed seed manual_seed manual_seed_all set_global_policy set_dtype_policy set_policy
    set_experimental_policy set_floatx set_image_data_format set_epsilon set_backend clear_session
    set_memory_growth set_visible_devices set_logical_device_configuration set_virtual_device_configuration
    set_per_process_memory_growth set_soft_device_placement set_inter_op_parallelism_threads set_lazy_adapter
    set_intra_op_parallelism_threads set_learning_phase set_default_dtype set_default_device set_session
    run_functions_eagerly set_jit set_optimizer_options putenv unsetenv chdir set_start_method set_distribution
    set_num_threads seterr set_state setstate default_rng_state set_image_dim_ordering setrecursionlimit
    """
)
_STATE_PREFIXES = ("enable_", "disable_", "experimental_enable_", "use_deterministic")

_SEEDS = {
    "numpy.random.seed": ("numpy",),
    "numpy.random.set_state": ("numpy",),
    "random.seed": ("python",),
    "random.setstate": ("python",),
    "tensorflow.random.set_seed": ("tensorflow",),
    "tensorflow.set_random_seed": ("tensorflow",),
    "tensorflow.compat.v1.set_random_seed": ("tensorflow",),
    "torch.manual_seed": ("torch",),
}
_EVERY_GENERATOR = ("numpy", "python", "tensorflow", "torch")
_NO_DRAW = words(
    """
    seed set_state get_state default_rng RandomState Generator SeedSequence getstate setstate Random
    SystemRandom PCG64 MT19937 Philox SFC64 BitGenerator
    """
)


def sets_state(path: str) -> bool:
    """Whether a function sets something that any later code may meet."""
    root, _, _ = path.partition(".")
    last = path.rpartition(".")[2]
    if root not in _STATE_ROOTS:
        return False
    if ".config." in path and not last.startswith(("get_", "list_", "is_")):
        return True
    return last in _STATE_NAMES or (root != "os" and last.startswith(_STATE_PREFIXES))


def seeded_by(path: str) -> tuple[str, ...]:
    """The random generators that a function seeds."""
    if path.rpartition(".")[2] == "set_random_seed" and path.partition(".")[0] in {"keras", "tf_keras"}:
        return _EVERY_GENERATOR
    if path.startswith("tensorflow.keras.") and path.endswith(".set_random_seed"):
        return _EVERY_GENERATOR
    return _SEEDS.get(path, ())


def draws_from(path: str) -> str | None:
    """The generator from which a function visibly draws."""
    owner, _, last = path.rpartition(".")
    if last in _NO_DRAW:
        return None
    if owner == "numpy.random":
        return "numpy"
    return "python" if owner == "random" else None


def uses_generator(path: str) -> bool:
    """Whether all that a function changes is a random generator."""
    return bool(seeded_by(path)) or draws_from(path) is not None


def only_reads(path: str) -> bool:
    """Whether a function with this dotted path shows or reads only."""
    if path.partition(".")[0] in DISPLAY_MODULES:
        return True
    last = path.rpartition(".")[2]
    return last in READING_FUNCTIONS or last.startswith(_READING_PREFIXES)


# --- files ---

READERS = words(
    """
    open read_csv read_excel read_json read_parquet read_pickle read_hdf read_feather read_table read_fwf
    read_orc read_sas read_stata read_xml load loadtxt genfromtxt fromfile imread load_img
    image_dataset_from_directory text_dataset_from_directory audio_dataset_from_directory
    timeseries_dataset_from_directory flow_from_directory load_model load_weights TextLineDataset
    TFRecordDataset CsvDataset make_csv_dataset read_file GFile File ZipFile loadmat read_text read_bytes
    listdir scandir walk glob iglob iterdir open_dataset memmap mmread unpack_archive
    """
)
WRITERS = words(
    """
    to_csv to_parquet to_json to_pickle to_excel to_hdf to_feather save savez savez_compressed savetxt
    save_weights save_model dump urlretrieve write_text write_bytes mkdir makedirs imwrite imsave extractall
    unpack_archive tofile save_img
    ModelCheckpoint CSVLogger BackupAndRestore copyfile copy copy2 copytree move export download get_file
    """
)
FOLDER_MAKERS = frozenset({"mkdir", "makedirs"})
