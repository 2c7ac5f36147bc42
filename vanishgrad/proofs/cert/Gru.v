(** The GRU over the reals, in both conventions of its reset gate, and a certificate that its Jacobian product
    vanishes for all bounded inputs.

    Rows of U, V, b: those of the gates r and z; N, VN, bN and bh are the candidate's W_hn, W_hx, b and b_hn. T6, row by
    row: z keeps and writes at once, so its two uses and its slope are bounded together. *)
From Coq Require Import Reals Lra Lia List ZArith Bool.
From VG.cert Require Import Sums Activations Integers FixedPoint Gates Norms MaxNorm Recurrence Lstm.
Local Open Scope bool_scope.
Local Open Scope R_scope.

Section Step.
Variables (after : bool) (n d k : nat) (U N V VN : list (list Z)) (b bN bh : list Z).

Definition gate x s a := affine n d k U V b x s a.
Definition gate_inflow (v : nat -> R) a := sumR n (fun l => of_rows k U a l * v l).
Definition outer x s j := affine n d k nil VN bN x s j.
Definition inner x s j := affine n d k N nil bh x s j.
Definition inner_inflow (v : nat -> R) j := sumR n (fun l => of_rows k N j l * v l).

(** What goes into the candidate's tanh: the reset gate multiplies what W_hn makes of h, or h itself. *)
Definition drive x s j :=
  outer x s j + (if after then sigma (gate x s j) * inner x s j
                 else inner x (fun l => sigma (gate x s l) * s l) j).
Definition drive' x s v j :=
  if after then sigma' (gate x s j) * gate_inflow v j * inner x s j + sigma (gate x s j) * inner_inflow v j
  else inner_inflow (fun l => sigma' (gate x s l) * gate_inflow v l * s l + sigma (gate x s l) * v l) j.

Definition gru_step (x s : nat -> R) (j : nat) : R :=
  (1 - sigma (gate x s (n + j))) * tanh (drive x s j) + sigma (gate x s (n + j)) * s j.
Definition gru_step' (x s v : nat -> R) (j : nat) : R :=
  sigma (gate x s (n + j)) * v j + (1 - sigma (gate x s (n + j))) * (tanh' (drive x s j) * drive' x s v j) +
  sigma (gate x s (n + j)) * (1 - sigma (gate x s (n + j))) * (gate_inflow v (n + j) * (s j - tanh (drive x s j))).

Section Derivative.
Variables (x : nat -> R) (s : R -> nat -> R) (v : nat -> R) (e : R).
Hypothesis s_derive : forall i, (i < n)%nat -> derivable_pt_lim (fun y => s y i) e (v i).

Lemma sigma_gate_derive a :
  derivable_pt_lim (fun y => sigma (gate x (s y) a)) e (sigma' (gate x (s e) a) * gate_inflow v a).
Proof.
apply (derivable_pt_lim_comp (fun y => gate x (s y) a) sigma); [|apply sigma_derive].
now apply affine_derive.
Qed.

Lemma drive_derive j : (j < n)%nat -> derivable_pt_lim (fun y => drive x (s y) j) e (drive' x (s e) v j).
Proof.
intros hj. unfold drive, drive'. rewrite <- (Rplus_0_l (if after then _ else _)).
apply (derivable_pt_lim_plus (fun y => outer x (s y) j)).
- replace 0 with (sumR n (fun l => of_rows k nil j l * v l)).
  + now apply affine_derive.
  + apply sumR_zero; intros l _. unfold of_rows. replace (nth j nil nil) with (@nil Z) by now destruct j.
    rewrite zn_nil; unfold Rdiv; ring.
- destruct after.
  + apply (derivable_pt_lim_mult (fun y => sigma (gate x (s y) j)) (fun y => inner x (s y) j));
      [apply sigma_gate_derive|now apply affine_derive].
  + apply (affine_derive n d k N nil bh x (fun y l => sigma (gate x (s y) l) * s y l)). intros l hl.
    apply (derivable_pt_lim_mult (fun y => sigma (gate x (s y) l)) (fun y => s y l)); [apply sigma_gate_derive|auto].
Qed.
End Derivative.

Lemma gru_step_derive x (s : R -> nat -> R) v e :
  (forall i, (i < n)%nat -> derivable_pt_lim (fun y => s y i) e (v i)) ->
  forall i, (i < n)%nat -> derivable_pt_lim (fun y => gru_step x (s y) i) e (gru_step' x (s e) v i).
Proof.
intros hs i hi. unfold gru_step, gru_step'.
set (z := fun y => sigma (gate x (s y) (n + i))). set (g := fun y => tanh (drive x (s y) i)).
replace (sigma (gate x (s e) (n + i)) * v i + _ + _) with
  ((0 - sigma' (gate x (s e) (n + i)) * gate_inflow v (n + i)) * g e
   + (1 - z e) * (tanh' (drive x (s e) i) * drive' x (s e) v i)
   + (sigma' (gate x (s e) (n + i)) * gate_inflow v (n + i) * s e i + z e * v i))
  by (unfold z, g, sigma'; ring).
assert (hz : derivable_pt_lim z e (sigma' (gate x (s e) (n + i)) * gate_inflow v (n + i)))
  by now apply sigma_gate_derive.
apply (derivable_pt_lim_plus (fun y => (1 - z y) * g y) (fun y => z y * s y i)).
- apply (derivable_pt_lim_mult (fun y => 1 - z y) g).
  + apply (derivable_pt_lim_minus (fct_cte 1) z); [apply derivable_pt_lim_const|easy].
  + apply (derivable_pt_lim_comp (fun y => drive x (s y) i) tanh); [now apply drive_derive|apply tanh_derive].
- apply (derivable_pt_lim_mult z (fun y => s y i)); auto.
Qed.
End Step.

(** * One unit: z's pre-activation lies in [zl, zh], the candidate's in [nl, nh] and moves by kap, z's by pz. *)
Section Unit.
Variables (p s q e : nat) (r : Z).
Let one := (2 ^ Z.of_nat p)%Z.

Definition gru_unit (zl zh nl nh hb kap pz w : Z) : bool :=
  let g_lo := tanh_low p s q (nearest nl nh) in let g_hi := tanh_high p s q (farthest nl nh) in
  let row := peak p (sigma_low p s q zl) (sigma_high p s q zh) (one * w) (times p (slope_high p g_lo) kap)
               (times p (hb + g_hi) pz) in
  (g_hi <=? hb)%Z && (row * 2 ^ Z.of_nat e <=? r * (one * w))%Z.

Variables (zl zh nl nh hb kap pz w : Z).
Hypothesis checked : gru_unit zl zh nl nh hb kap pz w = true.
Variables (az an h : R).
Hypothesis hz_ : fx p zl <= az <= fx p zh.
Hypothesis hn_ : fx p nl <= an <= fx p nh.
Hypothesis hh_ : Rabs h <= fx p hb.

Lemma gru_candidate : fx p (tanh_low p s q (nearest nl nh)) <= Rabs (tanh an) <= fx p (tanh_high p s q (farthest nl nh)).
Proof.
destruct (magnitude p nl nh an hn_) as [l u]. rewrite tanh_abs. split; [now apply tanh_low_le|now apply tanh_high_ge].
Qed.

Lemma gru_unit_stays : Rabs ((1 - sigma az) * tanh an + sigma az * h) <= fx p hb.
Proof.
pose proof (sigma_range az). destruct gru_candidate as [_ g].
unfold gru_unit in checked. cbv zeta in checked. rewrite andb_true_iff in checked. destruct checked as [h1 _].
apply Z.leb_le, (fx_le p) in h1.
eapply Rle_trans; [apply Rabs_triang|]. rewrite !Rabs_mult, (Rabs_pos_eq (1 - sigma az)), (Rabs_pos_eq (sigma az)) by lra.
apply Rle_trans with ((1 - sigma az) * fx p hb + sigma az * fx p hb); [|right; ring].
apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
Qed.

Variables (K vh dn dz : R).
Hypothesis K0 : 0 <= K.
Hypothesis hvh : Rabs vh <= K * IZR w.
Hypothesis hdn : Rabs dn <= K * fx p kap.
Hypothesis hdz : Rabs dz <= K * fx p pz.
Hypothesis kap0 : 0 <= fx p kap.
Hypothesis pz0 : 0 <= fx p pz.

Lemma gru_unit_shrinks : Rabs (sigma az * vh + (1 - sigma az) * (tanh' an * dn)
    + sigma az * (1 - sigma az) * (dz * (h - tanh an))) <= IZR r / 2 ^ e * K * IZR w.
Proof.
pose proof (sigma_range az). destruct gru_candidate as [gl gh]. pose proof (tanh_range an) as tr.
unfold gru_unit in checked. cbv zeta in checked. rewrite andb_true_iff in checked. destruct checked as [h1 h2].
apply Z.leb_le in h2. apply Z.leb_le, (fx_le p) in h1.
eapply Rle_trans; [|apply (rate_row p e r _ _ _ K0 h2)].
assert (t1 : Rabs (tanh an) <= 1) by (apply Rabs_le; lra).
destruct (slope_high_ge p _ _ gl t1) as [s0 s1].
pose proof (Rabs_pos h); pose proof (Rabs_pos (tanh an)).
apply (gated p K _ _ _ _ _ _ _ _ _ (IZR w) ((1 - tanh an ^ 2) * fx p kap) ((fx p hb + Rabs (tanh an)) * fx p pz));
  try lra.
- split; [apply sigma_low_le|apply sigma_high_ge]; lra.
- unfold one; rewrite fx_whole; lra.
- unfold tanh'. rewrite Rabs_mult, (Rabs_pos_eq (1 - tanh an ^ 2)) by easy.
  replace (K * ((1 - tanh an ^ 2) * fx p kap)) with ((1 - tanh an ^ 2) * (K * fx p kap)) by ring.
  now apply Rmult_le_compat_l.
- apply times_ge; lra.
- rewrite Rabs_mult. replace (K * ((fx p hb + Rabs (tanh an)) * fx p pz))
    with (K * fx p pz * (fx p hb + Rabs (tanh an))) by ring.
  apply Rmult_le_compat; try apply Rabs_pos; [easy|].
  unfold Rminus. eapply Rle_trans; [apply Rabs_triang|]. rewrite Rabs_Ropp. lra.
- apply Rmult_le_pos; lra.
- apply times_ge; try lra. rewrite fx_plus; lra.
Qed.
End Unit.

(** * What an emitted file applies: as for the LSTM, with a box |h| <= hb. *)
Section Certificate.
Variables (after : bool) (n d k p s q e f : nat) (r c lo hi bound : Z) (hb w b bN bh : list Z).
Variables (U N V VN : list (list Z)).
Let xb := repeat bound d.

Definition reset_low l : Z := sigma_low p s q (low k p U V b hb xb l).
Definition reset_high l : Z := sigma_high p s q (high k p U V b hb xb l).

(** Bounds of |r h|, and of what the derivative of r h makes of w: for the convention that resets h itself. *)
Definition reset_states : list Z := map (fun l => times p (reset_high l) (nth l hb 0%Z)) (seq 0 n).
Definition reset_rows : list Z := map (fun l => peak p (reset_low l) (reset_high l) (2 ^ Z.of_nat p * nth l w 0)%Z 0
                                                 (times p (nth l hb 0%Z) (spread k p U w l))) (seq 0 n).

Definition drive_low rh j : Z :=
  (low k p nil VN bN hb xb j +
   (if after then - upto_times p (reset_low j) (reset_high j) (- low k p N nil bh hb xb j)
    else low k p N nil bh rh xb j))%Z.
Definition drive_high rh j : Z :=
  (high k p nil VN bN hb xb j +
   (if after then upto_times p (reset_low j) (reset_high j) (high k p N nil bh hb xb j)
    else high k p N nil bh rh xb j))%Z.
Definition drive_flow rr j : Z :=
  if after then peak p (reset_low j) (reset_high j) (spread k p N w j) 0
                  (times p (farthest (low k p N nil bh hb xb j) (high k p N nil bh hb xb j)) (spread k p U w j))
  else gathered k N rr j.

Definition gru_unit_at rh rr (j : nat) : bool :=
  gru_unit p s q e r (low k p U V b hb xb (n + j)) (high k p U V b hb xb (n + j)) (drive_low rh j) (drive_high rh j)
    (nth j hb 0%Z) (drive_flow rr j) (spread k p U w (n + j)) (nth j w 0%Z).

Definition gru_certificate : bool :=
  narrow n U && narrow n N && narrow d V && narrow d VN && (0 <=? r)%Z && (r <? 2 ^ Z.of_nat e)%Z &&
  condition_check n f c lo hi && within lo hi w && (length w =? n)%nat && forallb (fun v => (0 <=? v)%Z) hb &&
  (let rh := reset_states in let rr := reset_rows in forallb (gru_unit_at rh rr) (seq 0 n)).

Definition gru_inside (st : nat -> R) := forall j, (j < n)%nat -> Rabs (st j) <= fx p (nth j hb 0%Z).
Let admitted := admitted d p bound.

Hypothesis checked : gru_certificate = true.

Lemma gru_parts : (narrow n U = true /\ narrow n N = true /\ narrow d V = true /\ narrow d VN = true) /\
  0 <= IZR r /\ IZR r < 2 ^ e /\ condition_check n f c lo hi = true /\ within lo hi w = true /\ length w = n /\
  gru_inside (fun _ => 0) /\ (forall j, (j < n)%nat -> gru_unit_at reset_states reset_rows j = true).
Proof.
pose proof checked as h. unfold gru_certificate in h; cbv zeta in h; rewrite !andb_true_iff in h.
destruct h as [[[[[[[[[[hU hN] hV] hVN] r0] r1] hc] hw] lw] h0] hu].
apply Z.leb_le, IZR_le in r0. apply Z.ltb_lt, IZR_lt in r1. rewrite <- pow_IZR_nat in r1. apply Nat.eqb_eq in lw.
split; [easy|]. do 5 (split; [easy|]). split.
- intros j _. rewrite Rabs_R0. now apply nonneg_nth.
- intros j hj. rewrite forallb_forall in hu. apply hu, in_seq; lia.
Qed.

Lemma nil_row m a : (length (nth a (@nil (list Z)) nil) <= m)%nat.
Proof. destruct a; simpl; lia. Qed.

Lemma xb_bounds x : admitted x -> forall l, (l < d)%nat -> Rabs (x l) <= fx p (nth l xb 0%Z).
Proof.
intros hx l hl. unfold xb. rewrite (nth_indep _ 0%Z bound), nth_repeat by now rewrite repeat_length. now apply hx.
Qed.

Section AtState.
Variables (x st : nat -> R).
Hypothesis hx : admitted x.
Hypothesis hs : gru_inside st.

Lemma gate_bounds a : fx p (low k p U V b hb xb a) <= gate n d k U V b x st a <= fx p (high k p U V b hb xb a).
Proof.
destruct gru_parts as [[hU [_ [hV _]]] _].
apply affine_bounds; [intros; now apply narrow_row|intros; now apply narrow_row|exact hs|now apply xb_bounds].
Qed.

Lemma outer_bounds a :
  fx p (low k p nil VN bN hb xb a) <= outer n d k VN bN x st a <= fx p (high k p nil VN bN hb xb a).
Proof.
destruct gru_parts as [[_ [_ [_ hVN]]] _].
apply affine_bounds; [apply nil_row|intros; now apply narrow_row|exact hs|now apply xb_bounds].
Qed.

Lemma inner_bounds y yb a : (forall l, (l < n)%nat -> Rabs (y l) <= fx p (nth l yb 0%Z)) ->
  fx p (low k p N nil bh yb xb a) <= inner n d k N bh x y a <= fx p (high k p N nil bh yb xb a).
Proof.
intros hy. destruct gru_parts as [[_ [hN _]] _].
apply affine_bounds; [intros; now apply narrow_row|apply nil_row|exact hy|now apply xb_bounds].
Qed.

Lemma reset_range l : fx p (reset_low l) <= sigma (gate n d k U V b x st l) <= fx p (reset_high l).
Proof. destruct (gate_bounds l). split; [now apply sigma_low_le|now apply sigma_high_ge]. Qed.

Lemma nth_seq_map (g : nat -> Z) l : (l < n)%nat -> nth l (map g (seq 0 n)) 0%Z = g l.
Proof.
intros hl. rewrite (nth_indep _ 0%Z (g O)) by (rewrite map_length, seq_length; easy).
rewrite map_nth, seq_nth by easy. reflexivity.
Qed.

Lemma drive_bounds j : (j < n)%nat -> fx p (drive_low reset_states j)
  <= drive after n d k U N V VN b bN bh x st j <= fx p (drive_high reset_states j).
Proof.
intros hj. unfold drive, drive_low, drive_high. rewrite !fx_plus. destruct (outer_bounds j) as [ol oh].
pose proof (sigma_range (gate n d k U V b x st j)).
destruct after.
- destruct (inner_bounds st hb j hs) as [il ih]. rewrite fx_opp.
  pose proof (upto_times_ge p _ _ _ (sigma (gate n d k U V b x st j)) _ ltac:(lra) (reset_range j) ih).
  pose proof (upto_times_ge p _ _ (- low k p N nil bh hb xb j) (sigma (gate n d k U V b x st j))
    (- inner n d k N bh x st j) ltac:(lra) (reset_range j)) as B.
  rewrite fx_opp in B. lra.
- destruct (inner_bounds (fun l => sigma (gate n d k U V b x st l) * st l) reset_states j) as [il ih]; [|lra].
  intros l hl. unfold reset_states. rewrite nth_seq_map by easy.
  pose proof (sigma_range (gate n d k U V b x st l)). rewrite Rabs_mult, Rabs_pos_eq by lra.
  apply times_ge; [lra|apply Rabs_pos|apply reset_range|now apply hs].
Qed.

Section Along.
Variables (v : nat -> R) (K : R).
Hypothesis K0 : 0 <= K.
Hypothesis hv : forall i, (i < n)%nat -> Rabs (v i) <= K * zn w i.

Lemma gate_flow a : Rabs (gate_inflow n k U v a) <= K * fx p (spread k p U w a).
Proof. destruct gru_parts as [[hU _] _]. apply inflow_bound; [intros; now apply narrow_row|easy|exact hv]. Qed.

Lemma inner_flow a : Rabs (inner_inflow n k N v a) <= K * fx p (spread k p N w a).
Proof. destruct gru_parts as [[_ [hN _]] _]. apply inflow_bound; [intros; now apply narrow_row|easy|exact hv]. Qed.
End Along.

Lemma w_nonneg l : (l < n)%nat -> 0 <= zn w l.
Proof.
intros hl. destruct gru_parts as [_ [_ [_ [hc [hw [lw _]]]]]]. destruct (condition_sound _ _ _ _ _ hc) as [l0 _].
destruct (within_bounds _ _ _ l hw ltac:(lia)). lra.
Qed.

Lemma still l : (l < n)%nat -> Rabs ((fun _ => 0) l) <= 1 * zn w l.
Proof. intros hl; cbv beta. rewrite Rabs_R0, Rmult_1_l. now apply w_nonneg. Qed.

Lemma gate_spread a : 0 <= fx p (spread k p U w a).
Proof.
pose proof (gate_flow (fun _ => 0) 1 ltac:(lra) still a) as h.
pose proof (Rabs_pos (gate_inflow n k U (fun _ => 0) a)). lra.
Qed.

Lemma drive_flow_bound v K j : 0 <= K -> (forall i, (i < n)%nat -> Rabs (v i) <= K * zn w i) -> (j < n)%nat ->
  Rabs (drive' after n d k U N V b bh x st v j) <= K * fx p (drive_flow reset_rows j).
Proof.
intros K0 hv hj. unfold drive', drive_flow. destruct after.
- set (r0 := sigma (gate n d k U V b x st j)). pose proof (sigma_range (gate n d k U V b x st j)) as rr. fold r0 in rr.
  unfold sigma'. fold r0. set (y := inner n d k N bh x st j).
  assert (ym : Rabs y <= fx p (farthest (low k p N nil bh hb xb j) (high k p N nil bh hb xb j)))
    by exact (proj2 (magnitude p _ _ _ (inner_bounds st hb j hs))).
  replace (r0 * (1 - r0) * gate_inflow n k U v j * y + r0 * inner_inflow n k N v j)
    with (r0 * inner_inflow n k N v j + (1 - r0) * 0 + r0 * (1 - r0) * (gate_inflow n k U v j * y)) by ring.
  apply (gated p K _ _ _ _ _ _ _ _ _ (fx p (spread k p N w j)) 0 (fx p (spread k p U w j) * Rabs y)); try lra.
  + apply reset_range.
  + now apply inner_flow.
  + rewrite Rabs_R0; lra.
  + rewrite fx_zero; lra.
  + rewrite Rabs_mult, <- Rmult_assoc. apply Rmult_le_compat_r; [apply Rabs_pos|now apply gate_flow].
  + apply Rmult_le_pos; [apply gate_spread|apply Rabs_pos].
  + rewrite Rmult_comm. apply times_ge; try lra; [apply Rabs_pos|apply gate_spread].
- destruct gru_parts as [[_ [hN _]] _].
  apply (gathered_bound n k p N (fun a => narrow_row n N a hN)); [easy|]. intros l hl.
  unfold reset_rows. rewrite nth_seq_map by easy.
  set (r0 := sigma (gate n d k U V b x st l)). pose proof (sigma_range (gate n d k U V b x st l)) as rr. fold r0 in rr.
  unfold sigma'. fold r0. pose proof (hs l hl) as hl_. pose proof (Rabs_pos (st l)).
  replace (r0 * (1 - r0) * gate_inflow n k U v l * st l + r0 * v l)
    with (r0 * v l + (1 - r0) * 0 + r0 * (1 - r0) * (gate_inflow n k U v l * st l)) by ring.
  apply (gated p K _ _ _ _ _ _ _ _ _ (zn w l) 0 (fx p (spread k p U w l) * Rabs (st l))); try lra.
  + apply reset_range.
  + now apply hv.
  + rewrite fx_whole; unfold zn; lra.
  + rewrite Rabs_R0; lra.
  + rewrite fx_zero; lra.
  + rewrite Rabs_mult, <- Rmult_assoc. apply Rmult_le_compat_r; [apply Rabs_pos|now apply gate_flow].
  + apply Rmult_le_pos; [apply gate_spread|easy].
  + rewrite Rmult_comm. apply times_ge; try lra; apply gate_spread.
Qed.

Lemma drive_flow_nonneg j : (j < n)%nat -> 0 <= fx p (drive_flow reset_rows j).
Proof.
intros hj. pose proof (drive_flow_bound (fun _ => 0) 1 j ltac:(lra) still hj) as h.
pose proof (Rabs_pos (drive' after n d k U N V b bh x st (fun _ => 0) j)). lra.
Qed.

Lemma gru_stays : gru_inside (gru_step after n d k U N V VN b bN bh x st).
Proof.
intros j hj. destruct gru_parts as [_ [_ [_ [_ [_ [_ [_ hu]]]]]]].
exact (gru_unit_stays p s q e r _ _ _ _ _ _ _ _ (hu j hj) _ _ _ (drive_bounds j hj) (hs j hj)).
Qed.

Lemma gru_shrinks v K : 0 <= K -> (forall i, (i < n)%nat -> Rabs (v i) <= K * zn w i) ->
  forall i, (i < n)%nat -> Rabs (gru_step' after n d k U N V VN b bN bh x st v i) <= IZR r / 2 ^ e * K * zn w i.
Proof.
intros K0 hv j hj. destruct gru_parts as [_ [_ [_ [_ [_ [_ [_ hu]]]]]]].
apply (gru_unit_shrinks p s q e r _ _ _ _ _ _ _ _ (hu j hj)); try easy.
- apply gate_bounds.
- now apply drive_bounds.
- now apply hs.
- now apply hv.
- now apply drive_flow_bound.
- now apply gate_flow.
- now apply drive_flow_nonneg.
- apply gate_spread.
Qed.
End AtState.

Theorem gru_vanishes : IZR r / 2 ^ e < 1 /\
  forall (X : nat -> nat -> R) (t T : nat) (v : nat -> R),
  (forall t' l, (l < d)%nat -> Rabs (X t' l) <= IZR bound / 2 ^ p) ->
  let st := evolve (gru_step after n d k U N V VN b bN bh) X 0 t (fun _ => 0) in
  exists D : nat -> R,
    (forall i, (i < n)%nat -> derivable_pt_lim
       (fun y => evolve (gru_step after n d k U N V VN b bN bh) X t T (fun j => st j + y * v j) i) 0 (D i)) /\
    norm n D <= IZR c / 2 ^ f * (IZR r / 2 ^ e) ^ T * norm n v.
Proof.
destruct gru_parts as [_ [r0 [r1 [hc [hw [lw [h0 _]]]]]]].
destruct (condition_sound _ _ _ _ _ hc) as [l0 [c0 hC]]. pose proof (pow2_pos e) as pe.
split; [apply (Rmult_lt_reg_r (2 ^ e)); [easy|]; replace (IZR r / 2 ^ e * 2 ^ e) with (IZR r) by (field; lra); lra|].
intros X t T v hX.
apply (recurrence_vanishes n (gru_step after n d k U N V VN b bN bh) (gru_step' after n d k U N V VN b bN bh)
  admitted gru_inside (gru_step_derive after n d k U N V VN b bN bh) gru_stays
  (zn w) (IZR r / 2 ^ e) (IZR c / 2 ^ f) (IZR lo) (IZR hi) (fun x st v K hx hs => gru_shrinks x st hx hs v K)); auto.
- apply Rmult_le_pos; [easy|now apply Rlt_le, Rinv_0_lt_compat].
- intros i hi'. apply within_bounds; [easy|lia].
Qed.
End Certificate.
