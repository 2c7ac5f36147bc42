(** The LSTM over the reals, and a certificate that its Jacobian product vanishes for all bounded inputs.

    State s: h_j at place j, c_j at place n + j. Rows of U, V, b: those of the gates i, f, g, o, one after the other.
    T4: the derivative of a step. T7(a), row by row: in an invariant box of states |J| w <= rho w; each gate's value and
    its slope are bounded together, as they are never large at once. *)
From Coq Require Import Reals Lra Lia List ZArith Bool.
From VG.cert Require Import Sums Activations Integers FixedPoint Gates Norms MaxNorm Recurrence.
Local Open Scope bool_scope.
Local Open Scope R_scope.

Section Step.
Variables (n d k : nat) (U V : list (list Z)) (b : list Z).

Definition pre x s a := affine n d k U V b x s a.
Definition inflow (v : nat -> R) a := sumR n (fun l => of_rows k U a l * v l).

Definition cell x s j :=
  sigma (pre x s (n + j)) * s (n + j)%nat + sigma (pre x s j) * tanh (pre x s (n + n + j)).

Definition lstm_step (x s : nat -> R) (m : nat) : R :=
  if (m <? n)%nat then sigma (pre x s (n + n + n + m)) * tanh (cell x s m) else cell x s (m - n).

Definition cell' x s v j :=
  sigma' (pre x s (n + j)) * inflow v (n + j) * s (n + j)%nat + sigma (pre x s (n + j)) * v (n + j)%nat +
  (sigma' (pre x s j) * inflow v j * tanh (pre x s (n + n + j)) +
   sigma (pre x s j) * (tanh' (pre x s (n + n + j)) * inflow v (n + n + j))).

Definition lstm_step' (x s v : nat -> R) (m : nat) : R :=
  if (m <? n)%nat
  then sigma' (pre x s (n + n + n + m)) * inflow v (n + n + n + m) * tanh (cell x s m) +
       sigma (pre x s (n + n + n + m)) * (tanh' (cell x s m) * cell' x s v m)
  else cell' x s v (m - n).

Section Derivative.
Variables (x : nat -> R) (s : R -> nat -> R) (v : nat -> R) (e : R).
Hypothesis s_derive : forall i, (i < n + n)%nat -> derivable_pt_lim (fun y => s y i) e (v i).

Lemma pre_derive a : derivable_pt_lim (fun y => pre x (s y) a) e (inflow v a).
Proof. apply (affine_derive n d k U V b x s v e a). intros l hl; apply s_derive; lia. Qed.

Lemma sigma_pre_derive a : derivable_pt_lim (fun y => sigma (pre x (s y) a)) e (sigma' (pre x (s e) a) * inflow v a).
Proof.
apply (derivable_pt_lim_comp (fun y => pre x (s y) a) sigma); [apply pre_derive|apply sigma_derive].
Qed.

Lemma tanh_pre_derive a : derivable_pt_lim (fun y => tanh (pre x (s y) a)) e (tanh' (pre x (s e) a) * inflow v a).
Proof. apply (derivable_pt_lim_comp (fun y => pre x (s y) a) tanh); [apply pre_derive|apply tanh_derive]. Qed.

Lemma cell_derive j : (j < n)%nat -> derivable_pt_lim (fun y => cell x (s y) j) e (cell' x (s e) v j).
Proof.
intros hj. unfold cell, cell'.
apply (derivable_pt_lim_plus (fun y => sigma (pre x (s y) (n + j)) * s y (n + j)%nat)
   (fun y => sigma (pre x (s y) j) * tanh (pre x (s y) (n + n + j)))).
- apply (derivable_pt_lim_mult (fun y => sigma (pre x (s y) (n + j))) (fun y => s y (n + j)%nat));
    [apply sigma_pre_derive|apply s_derive; lia].
- apply (derivable_pt_lim_mult (fun y => sigma (pre x (s y) j)) (fun y => tanh (pre x (s y) (n + n + j))));
    [apply sigma_pre_derive|apply tanh_pre_derive].
Qed.
End Derivative.

Lemma lstm_step_derive x (s : R -> nat -> R) v e :
  (forall i, (i < n + n)%nat -> derivable_pt_lim (fun y => s y i) e (v i)) ->
  forall i, (i < n + n)%nat -> derivable_pt_lim (fun y => lstm_step x (s y) i) e (lstm_step' x (s e) v i).
Proof.
intros hs i hi. unfold lstm_step, lstm_step'. destruct (i <? n)%nat eqn:h.
- apply Nat.ltb_lt in h.
  apply (derivable_pt_lim_mult (fun y => sigma (pre x (s y) (n + n + n + i))) (fun y => tanh (cell x (s y) i)));
    [now apply sigma_pre_derive|].
  apply (derivable_pt_lim_comp (fun y => cell x (s y) i) tanh); [now apply cell_derive|apply tanh_derive].
- apply Nat.ltb_ge in h. apply cell_derive; [easy|lia].
Qed.
End Step.

(** * One unit: its pre-activations lie in [il, ih], ..., |h| <= hb, |c| <= cb, and the rows of |U| w are pi, ..., po. *)
Section Unit.
Variables (p s q e : nat) (r : Z).
Let one := (2 ^ Z.of_nat p)%Z.

Definition slope_high (g : Z) : Z := (one - Z.max 0 g * Z.max 0 g / one)%Z.

(** The candidate's size is cut into eight pieces, in each of which its two appearances are bounded apart. *)
Definition cut (lo hi : Z) (t : nat) : Z := (lo + (hi - lo) * Z.of_nat t / 8)%Z.

Definition lstm_unit (il ih fl fh gl gh ol oh hb cb pi pf pg po wh wc : Z) : bool :=
  let i_lo := sigma_low p s q il in let i_hi := sigma_high p s q ih in
  let f_lo := sigma_low p s q fl in let f_hi := sigma_high p s q fh in
  let o_lo := sigma_low p s q ol in let o_hi := sigma_high p s q oh in
  let g_lo := tanh_low p s q (nearest gl gh) in let g_hi := tanh_high p s q (farthest gl gh) in
  let next := (times p f_hi cb + times p i_hi g_hi)%Z in
  let tanh_next := tanh_high p s q next in
  let kept := peak p f_lo f_hi (one * wc) 0 (times p cb pf) in
  let wrote := largest 8 (fun t => peak p i_lo i_hi (times p (slope_high (cut g_lo g_hi t)) pg) 0
                                     (times p (cut g_lo g_hi (S t)) pi)) in
  let row_c := (kept + wrote)%Z in
  let row_h := peak p o_lo o_hi row_c 0 (times p tanh_next po) in
  (next <=? cb)%Z && (times p o_hi tanh_next <=? hb)%Z &&
  (row_c * 2 ^ Z.of_nat e <=? r * (one * wc))%Z && (row_h * 2 ^ Z.of_nat e <=? r * (one * wh))%Z.

Lemma slope_high_ge g y : fx p g <= Rabs y -> Rabs y <= 1 -> 0 <= 1 - y ^ 2 <= fx p (slope_high g).
Proof.
intros h y1. split; [rewrite <- pow2_abs; pose proof (Rabs_pos y); nra|].
unfold slope_high. rewrite fx_minus. unfold one at 1. rewrite fx_one. apply Rplus_le_compat_l, Ropp_le_contravar.
rewrite <- pow2_abs. set (m := Z.max 0 g).
assert (hm : 0 <= fx p m <= Rabs y).
{ unfold m. rewrite fx_max, fx_zero. split; [apply Rmax_l|]. apply Rmax_lub; [apply Rabs_pos|easy]. }
apply Rle_trans with (fx p m ^ 2); [|apply pow_incr; lra].
unfold fx, one. pose proof (pow2_pos p). pose proof (floor_le (m * m) p) as f. rewrite mult_IZR in f.
replace ((IZR m / 2 ^ p) ^ 2) with (IZR m * IZR m / 2 ^ p / 2 ^ p) by (field; lra).
apply Rmult_le_compat_r; [now apply Rlt_le, Rinv_0_lt_compat|easy].
Qed.

Lemma rate_row row w K : 0 <= K -> (row * 2 ^ Z.of_nat e <= r * (one * w))%Z ->
  K * fx p row <= IZR r / 2 ^ e * K * IZR w.
Proof.
intros K0 h. replace (IZR r / 2 ^ e * K * IZR w) with (K * (IZR r / 2 ^ e * IZR w)) by ring.
apply Rmult_le_compat_l; [easy|]. apply IZR_le in h. unfold one in h.
rewrite !mult_IZR, <- !pow_IZR_nat in h. unfold fx. pose proof (pow2_pos p); pose proof (pow2_pos e).
apply (Rmult_le_reg_r (2 ^ p * 2 ^ e)); [now apply Rmult_lt_0_compat|].
replace (IZR row / 2 ^ p * (2 ^ p * 2 ^ e)) with (IZR row * 2 ^ e) by (field; lra).
replace (IZR r / 2 ^ e * IZR w * (2 ^ p * 2 ^ e)) with (IZR r * (2 ^ p * IZR w)) by (field; lra). exact h.
Qed.

Variables (il ih fl fh gl gh ol oh hb cb pi pf pg po wh wc : Z).
Hypothesis checked : lstm_unit il ih fl fh gl gh ol oh hb cb pi pf pg po wh wc = true.
Variables (ai af ag ao c : R).
Hypothesis hi_ : fx p il <= ai <= fx p ih.
Hypothesis hf_ : fx p fl <= af <= fx p fh.
Hypothesis hg_ : fx p gl <= ag <= fx p gh.
Hypothesis ho_ : fx p ol <= ao <= fx p oh.
Hypothesis hc_ : Rabs c <= fx p cb.

Let g_lo := tanh_low p s q (nearest gl gh).
Let g_hi := tanh_high p s q (farthest gl gh).
Let next := (times p (sigma_high p s q fh) cb + times p (sigma_high p s q ih) g_hi)%Z.

Lemma candidate_range : fx p g_lo <= Rabs (tanh ag) <= fx p g_hi.
Proof.
destruct (magnitude p gl gh ag hg_) as [l h]. rewrite tanh_abs. split.
- now apply tanh_low_le.
- now apply tanh_high_ge.
Qed.

Lemma next_range : Rabs (sigma af * c + sigma ai * tanh ag) <= fx p next.
Proof.
pose proof (sigma_range af); pose proof (sigma_range ai). destruct candidate_range as [_ g].
unfold next. rewrite fx_plus. eapply Rle_trans; [apply Rabs_triang|].
rewrite !Rabs_mult, (Rabs_pos_eq (sigma af)), (Rabs_pos_eq (sigma ai)) by lra.
apply Rplus_le_compat; apply times_ge; try apply Rabs_pos; try lra; apply sigma_high_ge; lra.
Qed.

Lemma unit_stays : Rabs (sigma af * c + sigma ai * tanh ag) <= fx p cb /\
  Rabs (sigma ao * tanh (sigma af * c + sigma ai * tanh ag)) <= fx p hb.
Proof.
pose proof next_range as N. pose proof (sigma_range ao) as so.
unfold lstm_unit in checked. cbv zeta in checked. rewrite !andb_true_iff in checked.
destruct checked as [[[h1 h2] _] _]. apply Z.leb_le, (fx_le p) in h1. apply Z.leb_le, (fx_le p) in h2.
split; [eapply Rle_trans; [exact N|exact h1]|]. eapply Rle_trans; [|exact h2].
rewrite Rabs_mult, (Rabs_pos_eq (sigma ao)), tanh_abs by lra.
apply times_ge; try lra.
- rewrite <- tanh_abs; apply Rabs_pos.
- apply sigma_high_ge; lra.
- now apply tanh_high_ge.
Qed.

Variables (K di df dg do vc : R).
Hypothesis K0 : 0 <= K.
Hypothesis hdi : Rabs di <= K * fx p pi.
Hypothesis hdf : Rabs df <= K * fx p pf.
Hypothesis hdg : Rabs dg <= K * fx p pg.
Hypothesis hdo : Rabs do <= K * fx p po.
Hypothesis hvc : Rabs vc <= K * IZR wc.
Hypothesis pi0 : 0 <= fx p pi.
Hypothesis pf0 : 0 <= fx p pf.
Hypothesis pg0 : 0 <= fx p pg.
Hypothesis po0 : 0 <= fx p po.

Lemma kept_le : Rabs (sigma' af * df * c + sigma af * vc)
  <= K * fx p (peak p (sigma_low p s q fl) (sigma_high p s q fh) (one * wc) 0 (times p cb pf)).
Proof.
pose proof (sigma_range af). unfold sigma'.
replace (sigma af * (1 - sigma af) * df * c + sigma af * vc)
  with (sigma af * vc + (1 - sigma af) * 0 + sigma af * (1 - sigma af) * (df * c)) by ring.
assert (0 <= fx p cb) by (pose proof (Rabs_pos c); lra).
apply (gated p K _ _ _ _ _ _ _ _ _ (IZR wc) 0 (fx p cb * fx p pf)); try lra; try easy.
- split; [apply sigma_low_le|apply sigma_high_ge]; lra.
- unfold one; rewrite fx_whole; lra.
- rewrite Rabs_R0; lra.
- rewrite fx_zero; lra.
- rewrite Rabs_mult. replace (K * (fx p cb * fx p pf)) with (K * fx p pf * fx p cb) by ring.
  apply Rmult_le_compat; try apply Rabs_pos; easy.
- now apply Rmult_le_pos.
- apply times_ge; lra.
Qed.

Lemma wrote_le : Rabs (sigma' ai * di * tanh ag + sigma ai * (tanh' ag * dg))
  <= K * fx p (largest 8 (fun t => peak p (sigma_low p s q il) (sigma_high p s q ih)
                 (times p (slope_high (cut g_lo g_hi t)) pg) 0 (times p (cut g_lo g_hi (S t)) pi))).
Proof.
pose proof (sigma_range ai). destruct candidate_range as [gl' gh']. pose proof (tanh_range ag) as tr.
assert (t1 : Rabs (tanh ag) <= 1) by (apply Rabs_le; lra).
destruct (piece p (cut g_lo g_hi) 7 (Rabs (tanh ag))) as [t [ht [lo hi]]].
{ unfold cut at 1 2. rewrite Z.mul_0_r, Zdiv_0_l, Z.add_0_r.
  replace ((g_hi - g_lo) * Z.of_nat 8)%Z with ((g_hi - g_lo) * 8)%Z by reflexivity.
  rewrite Z.div_mul by easy. replace (g_lo + (g_hi - g_lo))%Z with g_hi by ring. lra. }
set (f := fun t => peak p _ _ (times p (slope_high (cut g_lo g_hi t)) pg) 0 (times p (cut g_lo g_hi (S t)) pi)).
apply Rle_trans with (K * fx p (f t)); [|apply Rmult_le_compat_l; [easy|]; apply fx_le, largest_ge; lia].
destruct (slope_high_ge _ _ lo t1) as [s0 s1].
unfold sigma', f.
replace (sigma ai * (1 - sigma ai) * di * tanh ag + sigma ai * (tanh' ag * dg))
  with (sigma ai * (tanh' ag * dg) + (1 - sigma ai) * 0 + sigma ai * (1 - sigma ai) * (di * tanh ag)) by ring.
apply (gated p K _ _ _ _ _ _ _ _ _ ((1 - tanh ag ^ 2) * fx p pg) 0 (Rabs (tanh ag) * fx p pi)); try lra.
- split; [apply sigma_low_le|apply sigma_high_ge]; lra.
- unfold tanh'. rewrite Rabs_mult, (Rabs_pos_eq (1 - tanh ag ^ 2)) by easy.
  replace (K * ((1 - tanh ag ^ 2) * fx p pg)) with ((1 - tanh ag ^ 2) * (K * fx p pg)) by ring.
  now apply Rmult_le_compat_l.
- apply times_ge; lra.
- rewrite Rabs_R0; lra.
- rewrite fx_zero; lra.
- rewrite Rabs_mult. replace (K * (Rabs (tanh ag) * fx p pi)) with (K * fx p pi * Rabs (tanh ag)) by ring.
  apply Rmult_le_compat_r; [apply Rabs_pos|easy].
- apply Rmult_le_pos; [apply Rabs_pos|easy].
- apply times_ge; try lra. apply Rabs_pos.
Qed.

Let dc := sigma' af * df * c + sigma af * vc + (sigma' ai * di * tanh ag + sigma ai * (tanh' ag * dg)).
Let c_next := sigma af * c + sigma ai * tanh ag.

Lemma unit_shrinks : Rabs dc <= IZR r / 2 ^ e * K * IZR wc /\
  Rabs (sigma' ao * do * tanh c_next + sigma ao * (tanh' c_next * dc)) <= IZR r / 2 ^ e * K * IZR wh.
Proof.
pose proof kept_le as A. pose proof wrote_le as B. pose proof next_range as N. pose proof (sigma_range ao) as so.
unfold lstm_unit in checked. cbv zeta in checked. rewrite !andb_true_iff in checked.
destruct checked as [[[_ _] h3] h4]. apply Z.leb_le in h3. apply Z.leb_le in h4.
set (kept := peak p _ _ (one * wc) 0 _) in *. set (wrote := largest 8 _) in *.
assert (D : Rabs dc <= K * fx p (kept + wrote)).
{ unfold dc. eapply Rle_trans; [apply Rabs_triang|]. rewrite fx_plus, Rmult_plus_distr_l. lra. }
split; [eapply Rle_trans; [exact D|]; now apply rate_row|].
eapply Rle_trans; [|now apply rate_row; [exact K0|exact h4]].
unfold sigma'. pose proof (tanh_range c_next) as tr.
assert (T0 : 0 <= Rabs (tanh c_next)) by apply Rabs_pos.
assert (TN : Rabs (tanh c_next) <= fx p (tanh_high p s q next)) by (rewrite tanh_abs; now apply tanh_high_ge).
replace (sigma ao * (1 - sigma ao) * do * tanh c_next + sigma ao * (tanh' c_next * dc))
  with (sigma ao * (tanh' c_next * dc) + (1 - sigma ao) * 0 + sigma ao * (1 - sigma ao) * (do * tanh c_next)) by ring.
apply (gated p K _ _ _ _ _ _ _ _ _ (fx p (kept + wrote)) 0 (Rabs (tanh c_next) * fx p po)); try lra.
- split; [apply sigma_low_le|apply sigma_high_ge]; lra.
- rewrite Rabs_mult. assert (Rabs (tanh' c_next) <= 1) by (apply tanh_slope; lra).
  pose proof (Rabs_pos dc); pose proof (Rabs_pos (tanh' c_next)). nra.
- rewrite Rabs_R0; lra.
- rewrite fx_zero; lra.
- rewrite Rabs_mult. replace (K * (Rabs (tanh c_next) * fx p po)) with (K * fx p po * Rabs (tanh c_next)) by ring.
  now apply Rmult_le_compat_r.
- now apply Rmult_le_pos.
- apply times_ge; try lra. exact TN.
Qed.
End Unit.

(** * What an emitted file applies: rho = r / 2^e, C = c / 2^f, inputs |x_l| <= bound / 2^p, lo <= w <= hi. *)
Section Certificate.
Variables (n d k p s q e f : nat) (r c lo hi bound : Z) (hb cb w b : list Z) (U V : list (list Z)).
Let xb := repeat bound d.

Definition lstm_unit_at (j : nat) : bool :=
  let from a := low k p U V b hb xb a in
  let upto a := high k p U V b hb xb a in
  let inflow a := spread k p U w a in
  let i := j in let f := (n + j)%nat in let g := (n + n + j)%nat in let o := (n + n + n + j)%nat in
  lstm_unit p s q e r (from i) (upto i) (from f) (upto f) (from g) (upto g) (from o) (upto o)
    (nth j hb 0%Z) (nth j cb 0%Z) (inflow i) (inflow f) (inflow g) (inflow o) (nth j w 0%Z) (nth (n + j) w 0%Z).

Definition narrow (m : nat) (rows : list (list Z)) : bool := forallb (fun a => (length a <=? m)%nat) rows.

Definition lstm_certificate : bool :=
  narrow n U && narrow d V && (0 <=? r)%Z && (r <? 2 ^ Z.of_nat e)%Z && condition_check (n + n) f c lo hi &&
  within lo hi w && (length w =? n + n)%nat &&
  forallb (fun v => (0 <=? v)%Z) hb && forallb (fun v => (0 <=? v)%Z) cb && forallb lstm_unit_at (seq 0 n).

Lemma narrow_row m rows a : narrow m rows = true -> (length (nth a rows nil) <= m)%nat.
Proof.
intros h. destruct (Nat.lt_ge_cases a (length rows)) as [l|g]; [|rewrite (nth_overflow _ _ g); simpl; lia].
unfold narrow in h; rewrite forallb_forall in h. apply Nat.leb_le, h, nth_In, l.
Qed.

Lemma nonneg_nth l j : forallb (fun v => (0 <=? v)%Z) l = true -> 0 <= fx p (nth j l 0%Z).
Proof.
intros h. rewrite <- (fx_zero p). apply fx_le.
destruct (Nat.lt_ge_cases j (length l)) as [i|g]; [|rewrite (nth_overflow _ _ g); lia].
rewrite forallb_forall in h. apply Z.leb_le, h, nth_In, i.
Qed.

Definition admitted (x : nat -> R) := forall l, (l < d)%nat -> Rabs (x l) <= IZR bound / 2 ^ p.
Definition inside (st : nat -> R) := forall j, (j < n)%nat ->
  Rabs (st j) <= fx p (nth j hb 0%Z) /\ Rabs (st (n + j)%nat) <= fx p (nth j cb 0%Z).

Hypothesis checked : lstm_certificate = true.

Lemma certificate_parts : narrow n U = true /\ narrow d V = true /\ 0 <= IZR r /\ IZR r < 2 ^ e /\
  condition_check (n + n) f c lo hi = true /\ within lo hi w = true /\ length w = (n + n)%nat /\
  inside (fun _ => 0) /\ (forall j, (j < n)%nat -> lstm_unit_at j = true).
Proof.
pose proof checked as h. unfold lstm_certificate in h; rewrite !andb_true_iff in h.
destruct h as [[[[[[[[[hU hV] r0] r1] hc] hw] lw] h0] c0] hu].
apply Z.leb_le, IZR_le in r0. apply Z.ltb_lt, IZR_lt in r1. rewrite <- pow_IZR_nat in r1. apply Nat.eqb_eq in lw.
do 7 (split; [easy|]). split.
- intros j _. rewrite Rabs_R0. split; now apply nonneg_nth.
- intros j hj. rewrite forallb_forall in hu. apply hu, in_seq; lia.
Qed.

Lemma pre_bounds x st a : admitted x -> inside st ->
  fx p (low k p U V b hb xb a) <= pre n d k U V b x st a <= fx p (high k p U V b hb xb a).
Proof.
intros hx hs. destruct certificate_parts as [hU [hV _]].
apply affine_bounds; [intros; now apply narrow_row|intros; now apply narrow_row|intros l hl; now apply hs|].
intros l hl. unfold xb. rewrite (nth_indep _ 0%Z bound), nth_repeat by now rewrite repeat_length. now apply hx.
Qed.

Lemma box_stays x st : admitted x -> inside st -> inside (lstm_step n d k U V b x st).
Proof.
intros hx hs j hj. destruct certificate_parts as [_ [_ [_ [_ [_ [_ [_ [_ hu]]]]]]]].
destruct (unit_stays p s q e r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ (hu j hj)
  (pre n d k U V b x st j) (pre n d k U V b x st (n + j)) (pre n d k U V b x st (n + n + j))
  (pre n d k U V b x st (n + n + n + j)) (st (n + j)%nat)) as [A B]; try now apply pre_bounds.
{ now apply hs. }
unfold lstm_step. rewrite (proj2 (Nat.ltb_lt j n) hj).
replace (n + j <? n)%nat with false by (symmetry; apply Nat.ltb_ge; lia).
replace (n + j - n)%nat with j by lia. now split.
Qed.

Lemma w_positive l : (l < n + n)%nat -> 0 <= zn w l.
Proof.
intros hl. destruct certificate_parts as [_ [_ [_ [_ [hc [hw [lw _]]]]]]].
destruct (condition_sound _ _ _ _ _ hc) as [l0 _].
destruct (within_bounds _ _ _ l hw ltac:(lia)). lra.
Qed.

Lemma spread_positive a : 0 <= fx p (spread k p U w a).
Proof.
destruct certificate_parts as [hU _].
rewrite <- (Rmult_1_l (fx p _)).
eapply Rle_trans; [apply Rabs_pos|apply (inflow_bound n k p U (fun a => narrow_row n U a hU) (fun _ => 0) w 1 a)].
- lra.
- intros l hl. rewrite Rabs_R0, Rmult_1_l. apply w_positive; lia.
Qed.

Lemma box_shrinks x st v K : admitted x -> inside st -> 0 <= K ->
  (forall i, (i < n + n)%nat -> Rabs (v i) <= K * zn w i) ->
  forall i, (i < n + n)%nat -> Rabs (lstm_step' n d k U V b x st v i) <= IZR r / 2 ^ e * K * zn w i.
Proof.
intros hx hs K0 hv i hi'. destruct certificate_parts as [hU [_ [_ [_ [_ [_ [_ [_ hu]]]]]]]].
set (j := if (i <? n)%nat then i else (i - n)%nat).
assert (hj : (j < n)%nat)
  by (unfold j; destruct (i <? n)%nat eqn:E; [now apply Nat.ltb_lt|apply Nat.ltb_ge in E; lia]).
assert (flow : forall a, Rabs (inflow n k U v a) <= K * fx p (spread k p U w a)).
{ intros a. apply inflow_bound; [intros; now apply narrow_row|easy|]. intros l hl; apply hv; lia. }
destruct (unit_shrinks p s q e r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ (hu j hj)
  (pre n d k U V b x st j) (pre n d k U V b x st (n + j)) (pre n d k U V b x st (n + n + j))
  (pre n d k U V b x st (n + n + n + j)) (st (n + j)%nat)
  ltac:(now apply pre_bounds) ltac:(now apply pre_bounds) ltac:(now apply pre_bounds) ltac:(now apply pre_bounds)
  ltac:(now apply hs) K (inflow n k U v j) (inflow n k U v (n + j)) (inflow n k U v (n + n + j))
  (inflow n k U v (n + n + n + j)) (v (n + j)%nat) K0) as [A B]; try apply flow; try apply spread_positive.
{ apply hv; lia. }
unfold lstm_step'. unfold j in *. destruct (i <? n)%nat eqn:E; [exact B|].
apply Nat.ltb_ge in E. unfold zn. replace i with (n + (i - n))%nat at 2 by lia. exact A.
Qed.

Theorem lstm_vanishes : IZR r / 2 ^ e < 1 /\
  forall (X : nat -> nat -> R) (t T : nat) (v : nat -> R),
  (forall t' l, (l < d)%nat -> Rabs (X t' l) <= IZR bound / 2 ^ p) ->
  let st := evolve (lstm_step n d k U V b) X 0 t (fun _ => 0) in
  exists D : nat -> R,
    (forall i, (i < n + n)%nat -> derivable_pt_lim
       (fun y => evolve (lstm_step n d k U V b) X t T (fun j => st j + y * v j) i) 0 (D i)) /\
    norm (n + n) D <= IZR c / 2 ^ f * (IZR r / 2 ^ e) ^ T * norm (n + n) v.
Proof.
destruct certificate_parts as [_ [_ [r0 [r1 [hc [hw [lw [h0 _]]]]]]]].
destruct (condition_sound _ _ _ _ _ hc) as [l0 [c0 hC]]. pose proof (pow2_pos e) as pe.
split; [apply (Rmult_lt_reg_r (2 ^ e)); [easy|]; replace (IZR r / 2 ^ e * 2 ^ e) with (IZR r) by (field; lra); lra|].
intros X t T v hX.
apply (recurrence_vanishes (n + n) (lstm_step n d k U V b) (lstm_step' n d k U V b) admitted inside
  (lstm_step_derive n d k U V b) box_stays (zn w) (IZR r / 2 ^ e) (IZR c / 2 ^ f) (IZR lo) (IZR hi) box_shrinks);
  auto.
- apply Rmult_le_pos; [easy|now apply Rlt_le, Rinv_0_lt_compat].
- intros i hi'. apply within_bounds; [easy|lia].
Qed.
End Certificate.
