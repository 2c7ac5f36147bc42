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
